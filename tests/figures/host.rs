//! From an event of a real engine to the answer of the agent's own DNS, for one container and for many at once.

use ecssd_testing::agent::Agent;
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::plot::{Axis, Plot};

use crate::latency::{Bench, End, Lives};
use crate::table::{Table, ms, shares};
use crate::{Plan, say};

/// Measures one by one, and for each of these at once.
pub fn measure(table: &mut Table, engine: &Engine, plan: Plan) {
    let mut bench = Bench::new(engine, Agent::start(engine));
    let mut starts = Plot::new("start → answer", Axis::logarithmic("ms"), Axis::linear("% of starts"));
    let mut stops = Plot::new("kill → no answer", Axis::logarithmic("ms"), Axis::linear("% of stops"));
    let mut all = Lives::default();
    for (end, what) in [(End::Lingers, "that live on for a second"), (End::Exits, "that exit at once")] {
        say(&format!("{} containers {what} when stopped", plan.containers));
        let lives = bench.one_by_one(plan.containers, end);
        table.times(&format!("kill → gone, {what}"), &lives.withdrawn);
        all.extend(lives);
    }
    table.times("start → answer, no check", &all.unchecked);
    table.times("start → answer, TCP check", &all.checked);
    starts = starts.line("1, TCP check", shares(&all.checked));
    stops = stops.line("1", shares(&all.withdrawn));
    for count in plan.at_once {
        say(&format!("{count} containers at once"));
        let herd = bench.start_at_once(count);
        table.times(&format!("{count} at once: start → answer, no check"), &herd.unchecked);
        table.times(&format!("{count} at once: start → answer, TCP check"), &herd.checked);
        table.number(&format!("{count} at once: first start → all answer"), ms(herd.all_answer), "ms");
        say(&format!("stopping {count} containers at once"));
        let stopped = bench.stop_at_once(&herd);
        table.times(&format!("{count} at once: kill → gone"), &stopped.withdrawn);
        table.number(&format!("{count} at once: first kill → all gone"), ms(stopped.all_gone), "ms");
        starts = starts.line(&format!("{count}, TCP check"), shares(&herd.checked));
        stops = stops.line(&format!("{count}"), shares(&stopped.withdrawn));
    }
    table.plot(starts);
    table.plot(stops);
    let peak = bench.agent.peak_rss().unwrap();
    table.number("RSS, the highest of this", peak as f64 / 1_000.0, "MB");
    let (on_core, waiting) = bench.agent.on_core_and_waiting();
    table.number("the agent was on a core", on_core.as_secs_f64(), "s");
    table.number("and waited for one", waiting.as_secs_f64(), "s");
}
