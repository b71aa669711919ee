//! What it costs: exact numbers of calls, of one container and of fifty.

use ecssd_testing::docker::engine::Container;
use ecssd_testing::route53::front::Counts;
use ecssd_testing::wait::service;
use ecssd_testing::world::World;

fn costs_of(containers: usize) {
    let world = World::new("count");
    let names: Vec<String> = (0..containers).map(|_| service("calc")).collect();
    let webs: Vec<Container> = world.many_on_host(&names);
    let mut agent = world.agent(&[]);
    let all = || (world.services().len() == containers).then_some(());
    agent.wait_for("all services", all);
    // Without a journal it makes one list, beside the writing.
    agent.says("zone read");
    assert_eq!(world.front.counts(), Counts { changes: 1, lists: 1, cost: containers + 1 });
    // What it registers after that shows that its journal is whole.
    let marker = service("marker");
    let marker_web = world.web(&marker, &[]);
    world.registered(&agent, &marker, marker_web.host_port("80/tcp"));
    assert_eq!(agent.hand_over(), Some(0));

    // With one, nothing: neither a list, nor a write, until there is something to write.
    world.front.forget();
    agent = world.agent(&[]);
    let later = service("later");
    let web = world.web(&later, &[]);
    world.registered(&agent, &later, web.host_port("80/tcp"));
    assert_eq!(world.front.counts(), Counts { changes: 1, lists: 0, cost: 1 });

    world.front.forget();
    assert_eq!(agent.drain(), Some(0));
    assert_eq!(world.front.counts(), Counts { changes: 1, lists: 0, cost: containers + 2 });
    assert_eq!((world.services().len(), world.own().len()), (0, 1));
    world.clear(webs);
}

#[test]
fn one_container_costs_one_call_to_come_and_one_to_go() {
    costs_of(1);
}

#[test]
fn fifty_containers_cost_one_call_to_come_and_one_to_go() {
    costs_of(50);
}
