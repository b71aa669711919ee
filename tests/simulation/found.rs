//! Scenarios that showed a bug once, cut down to what it takes. Each stays well.

use super::many::quiet;
use super::mutant::Mutant;
use super::run::run;
use super::scenario::Scenario;

/// By what was wrong.
const FOUND: [(&str, &str); 8] = [
    (
        "news from before a Registrar began ended what was registered of a later life",
        r#"{"seed":58,"hosts":1,"legacy":false,"resync_minutes":1,"drain_delay_seconds":0,"confirm":false,"notices":false,"operations":[{"at":481623,"host":0,"what":{"Run":{"slot":5,"spec":{"service":0,"two":false,"weight":1,"check":"None","interval_seconds":60,"port":"Dynamic","stop":"AtOnce","stop_timeout":30,"ready_ms":0,"restarts":true,"ports_lag_ms":0}}}},{"at":481637,"host":0,"what":{"Run":{"slot":7,"spec":{"service":2,"two":false,"weight":5,"check":"Tcp","interval_seconds":15,"port":"Dynamic","stop":{"After":{"ms":11232}},"stop_timeout":30,"ready_ms":0,"restarts":false,"ports_lag_ms":0}}}},{"at":646364,"host":0,"what":{"Die":{"slot":5}}},{"at":697697,"host":0,"what":{"Panic":{"line":1,"times":3}}},{"at":697707,"host":0,"what":{"Stop":{"slot":7}}},{"at":743079,"host":0,"what":{"Run":{"slot":6,"spec":{"service":0,"two":false,"weight":0,"check":"Docker","interval_seconds":15,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":true,"ports_lag_ms":0}}}}]}"#,
    ),
    (
        "a look from before the latest death counted as one at what runs now",
        r#"{"seed":157,"hosts":1,"legacy":false,"resync_minutes":1,"drain_delay_seconds":0,"confirm":true,"notices":true,"operations":[{"at":326150,"host":0,"what":{"Run":{"slot":0,"spec":{"service":1,"two":false,"weight":1,"check":"Docker","interval_seconds":15,"port":"Dynamic","stop":"Survives","stop_timeout":2,"ready_ms":0,"restarts":false,"ports_lag_ms":0}}}},{"at":326150,"host":0,"what":{"Restart":{"slot":0}}},{"at":377246,"host":0,"what":{"Run":{"slot":4,"spec":{"service":2,"two":true,"weight":0,"check":"Tcp","interval_seconds":15,"port":"Dynamic","stop":{"After":{"ms":1901}},"stop_timeout":30,"ready_ms":32754,"restarts":false,"ports_lag_ms":0}}}},{"at":407733,"host":0,"what":{"Panic":{"line":0,"times":2}}},{"at":423536,"host":0,"what":{"Stop":{"slot":1}}}]}"#,
    ),
    (
        "a start that a silent stream did not tell left the record out for ever",
        r#"{"seed":276,"hosts":1,"legacy":false,"resync_minutes":5,"drain_delay_seconds":0,"confirm":false,"notices":false,"operations":[{"at":1307260,"host":0,"what":{"DockerRestart":{"seconds":1,"live_restore":false}}},{"at":1367836,"host":0,"what":{"Run":{"slot":0,"spec":{"service":1,"two":false,"weight":1,"check":"Docker","interval_seconds":60,"port":{"Host":0},"stop":"Survives","stop_timeout":160,"ready_ms":0,"restarts":true,"ports_lag_ms":320}}}},{"at":1397102,"host":0,"what":{"Stop":{"slot":0}}},{"at":1416832,"host":0,"what":{"SilentStream":{"seconds":200}}},{"at":1568564,"host":0,"what":{"Restart":{"slot":0}}},{"at":1573053,"host":0,"what":{"Remove":{"slot":2}}}]}"#,
    ),
    (
        "ports that Docker showed late were never looked for again: the list was as before",
        r#"{"seed":565,"hosts":3,"legacy":false,"resync_minutes":5,"drain_delay_seconds":0,"confirm":false,"notices":false,"operations":[{"at":464801,"host":0,"what":{"Run":{"slot":5,"spec":{"service":3,"two":true,"weight":1,"check":"Tcp","interval_seconds":5,"port":{"Fixed":0},"stop":"AtOnce","stop_timeout":2,"ready_ms":0,"restarts":true,"ports_lag_ms":464}}}},{"at":2478497,"host":0,"what":{"Restart":{"slot":5}}}]}"#,
    ),
    (
        "the probers of a Registrar that panicked went on beside those of its successor",
        r#"{"seed":36,"hosts":3,"legacy":false,"resync_minutes":5,"drain_delay_seconds":0,"confirm":true,"notices":true,"operations":[{"at":328,"host":1,"what":{"Run":{"slot":0,"spec":{"service":0,"two":false,"weight":0,"check":"Tcp","interval_seconds":5,"port":{"Fixed":0},"stop":"AtOnce","stop_timeout":2,"ready_ms":2358,"restarts":true,"ports_lag_ms":0}}}},{"at":505811,"host":2,"what":{"Panic":{"line":0,"times":1}}},{"at":529696,"host":1,"what":{"DockerRestart":{"seconds":5,"live_restore":false}}},{"at":580507,"host":0,"what":{"Lag":{"ms":4013}}}]}"#,
    ),
    (
        "what was wanted and not yet written was lost with the Registrar that wanted it",
        r#"{"seed":1326,"hosts":1,"legacy":false,"resync_minutes":30,"drain_delay_seconds":0,"confirm":false,"notices":true,"operations":[{"at":224312,"host":0,"what":{"Run":{"slot":0,"spec":{"service":2,"two":false,"weight":0,"check":"Tcp","interval_seconds":15,"port":{"Fixed":2},"stop":{"After":{"ms":8771}},"stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":205}}}},{"at":401030,"host":0,"what":{"Panic":{"line":1,"times":3}}},{"at":642498,"host":0,"what":{"Run":{"slot":5,"spec":{"service":2,"two":false,"weight":5,"check":"Tcp","interval_seconds":60,"port":"Dynamic","stop":{"After":{"ms":2520}},"stop_timeout":30,"ready_ms":0,"restarts":false,"ports_lag_ms":0}}}},{"at":642581,"host":0,"what":{"Stop":{"slot":0}}},{"at":644698,"host":0,"what":{"Stop":{"slot":7}}}]}"#,
    ),
    (
        "a writer that was started again had all of a burst to spend, and its predecessor had spent one",
        r#"{"seed":14,"hosts":1,"legacy":true,"resync_minutes":30,"drain_delay_seconds":0,"confirm":false,"notices":false,"operations":[{"at":360429,"host":0,"what":{"Run":{"slot":1,"spec":{"service":1,"two":false,"weight":0,"check":"Tcp","interval_seconds":60,"port":{"Fixed":0},"stop":"AtOnce","stop_timeout":30,"ready_ms":0,"restarts":true,"ports_lag_ms":0}}}},{"at":686889,"host":0,"what":{"Run":{"slot":6,"spec":{"service":1,"two":false,"weight":5,"check":"None","interval_seconds":5,"port":"Dynamic","stop":{"After":{"ms":7749}},"stop_timeout":null,"ready_ms":null,"restarts":false,"ports_lag_ms":403}}}},{"at":980530,"host":0,"what":{"Run":{"slot":0,"spec":{"service":1,"two":false,"weight":0,"check":"None","interval_seconds":60,"port":{"Fixed":1},"stop":{"After":{"ms":1929}},"stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0}}}},{"at":1170349,"host":0,"what":{"Deny":{"slot":6,"seconds":200}}},{"at":1172543,"host":0,"what":{"Run":{"slot":7,"spec":{"service":2,"two":false,"weight":1,"check":"Tcp","interval_seconds":15,"port":"Dynamic","stop":"Survives","stop_timeout":160,"ready_ms":0,"restarts":true,"ports_lag_ms":0}}}},{"at":1175310,"host":0,"what":{"Panic":{"line":2,"times":3}}},{"at":1278775,"host":0,"what":{"Drain":{"down_ms":20000}}},{"at":1352218,"host":0,"what":{"Fuse":{"point":"Record","nth":1,"down_ms":10}}}]}"#,
    ),
    (
        "the delete half of a denied swap held the others up once more",
        r#"{"seed":156,"hosts":1,"legacy":false,"resync_minutes":1,"drain_delay_seconds":0,"confirm":true,"notices":false,"operations":[{"at":510,"host":0,"what":{"Run":{"slot":2,"spec":{"service":3,"two":true,"weight":1,"check":"Tcp","interval_seconds":15,"port":"Dynamic","stop":"Survives","stop_timeout":30,"ready_ms":1004,"restarts":true,"ports_lag_ms":0}}}},{"at":974,"host":0,"what":{"Run":{"slot":0,"spec":{"service":2,"two":false,"weight":1,"check":"Docker","interval_seconds":60,"port":"Dynamic","stop":"AtOnce","stop_timeout":2,"ready_ms":0,"restarts":false,"ports_lag_ms":0}}}},{"at":1570,"host":0,"what":{"Run":{"slot":1,"spec":{"service":2,"two":false,"weight":1,"check":"Tcp","interval_seconds":15,"port":"Dynamic","stop":"Survives","stop_timeout":30,"ready_ms":null,"restarts":true,"ports_lag_ms":0}}}},{"at":138140,"host":0,"what":{"Outage":{"fault":"Denied","seconds":200}}},{"at":144033,"host":0,"what":{"Run":{"slot":7,"spec":{"service":2,"two":false,"weight":5,"check":"None","interval_seconds":60,"port":{"Fixed":0},"stop":"Survives","stop_timeout":30,"ready_ms":0,"restarts":true,"ports_lag_ms":515}}}},{"at":166459,"host":0,"what":{"Restart":{"slot":0}}},{"at":209996,"host":0,"what":{"Run":{"slot":5,"spec":{"service":0,"two":false,"weight":5,"check":"None","interval_seconds":5,"port":"Dynamic","stop":{"After":{"ms":3588}},"stop_timeout":null,"ready_ms":null,"restarts":true,"ports_lag_ms":0}}}},{"at":210648,"host":0,"what":{"Fuse":{"point":"Call","nth":10,"down_ms":10}}},{"at":364771,"host":0,"what":{"Deny":{"slot":0,"seconds":70}}},{"at":446520,"host":0,"what":{"Deny":{"slot":0,"seconds":200}}},{"at":918873,"host":0,"what":{"Fuse":{"point":"Intend","nth":1,"down_ms":10}}},{"at":918873,"host":0,"what":{"Run":{"slot":3,"spec":{"service":2,"two":false,"weight":1,"check":"Tcp","interval_seconds":15,"port":"Dynamic","stop":"AtOnce","stop_timeout":2,"ready_ms":0,"restarts":false,"ports_lag_ms":0}}}},{"at":919173,"host":0,"what":{"Deny":{"slot":1,"seconds":200}}},{"at":1082800,"host":0,"what":{"Run":{"slot":6,"spec":{"service":3,"two":false,"weight":0,"check":"None","interval_seconds":15,"port":{"Fixed":1},"stop":{"After":{"ms":437}},"stop_timeout":160,"ready_ms":0,"restarts":true,"ports_lag_ms":331}}}},{"at":1099424,"host":0,"what":{"DockerAway":{"seconds":200}}}]}"#,
    ),
];

/// Plays them all.
pub fn found() -> bool {
    quiet();
    let mut wrong = 0;
    for (name, text) in FOUND {
        let scenario: Scenario = serde_json::from_str(text).expect("a scenario, as it was kept");
        if let Some(violation) = run(&scenario, Mutant::None).violation {
            wrong += 1;
            println!("wrong again: {name}: {violation}");
        }
    }
    println!("{} scenarios that showed a bug once: {wrong} do again", FOUND.len());
    wrong == 0
}
