//! A stop and a restart, told in every order that their news can have: Docker's events come in theirs, inspections and
//! verdicts between them as they like.

use std::collections::BTreeSet;

use super::*;

/// A piece of news, and when what it tells was so, by Docker's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Killed,
    Died,
    Started,
    SeenLife1,
    SeenStopped,
    SeenLife2,
    VerdictUp,
}

use News::{Died, Killed, SeenLife1, SeenLife2, SeenStopped, Started, VerdictUp};

const ALL: [News; 7] = [Killed, Died, Started, SeenLife1, SeenStopped, SeenLife2, VerdictUp];

impl News {
    fn time(self) -> u64 {
        match self {
            SeenLife1 => LIFE + 5,
            Killed => LIFE + 10,
            Died => LIFE + 20,
            SeenStopped => LIFE + 30,
            Started => LIFE + 100,
            SeenLife2 => LIFE + 110,
            VerdictUp => LIFE + 120,
        }
    }

    fn is_look(self) -> bool {
        matches!(self, SeenLife1 | SeenStopped | SeenLife2)
    }

    fn event(self, place: u64) -> Event {
        let life2 = Sight { started_at: at(LIFE + 100), ..sight(EffectiveCheck::Tcp) };
        let target = Target::of(&life2.offers[0]).unwrap();
        let seen = |sight| Event::Seen { as_of: Seq(place), sight: Box::new(sight) };
        match self {
            Killed => {
                let (at, time) = (Seq(place), at(self.time()));
                Event::Killed { at, signal: SIGTERM, time, age: Duration::ZERO }
            }
            Died => Event::Died { at: Seq(place), time: at(self.time()) },
            Started => Event::Started { at: Seq(place) },
            SeenLife1 => seen(sight(EffectiveCheck::Tcp)),
            SeenStopped => seen(shown(Running::Stopped)),
            SeenLife2 => seen(life2),
            VerdictUp => Event::Probed { life: at(LIFE + 100), target, verdict: Verdict::Up },
        }
    }
}

fn permutations(items: &[News]) -> Vec<Vec<News>> {
    if items.is_empty() {
        return vec![vec![]];
    }
    let with_first = |(index, first): (usize, News)| {
        let mut rest = items.to_vec();
        rest.remove(index);
        permutations(&rest).into_iter().map(move |tail| [&[first][..], &tail].concat())
    };
    items.iter().copied().enumerate().flat_map(with_first).collect()
}

/// The places that each piece of an order can have: the n-th event from Docker has place n; an inspection was
/// asked for at any place at which what it showed was still to be, the inspections one after the other.
fn places(order: &[News]) -> Vec<Vec<u64>> {
    let mut places = vec![vec![]];
    let mut events = 0;
    for (index, news) in order.iter().enumerate() {
        if matches!(news, Killed | Died | Started) {
            events += 1;
        }
        let choices = if news.is_look() { 0..=events } else { events..=events };
        places = places
            .into_iter()
            .flat_map(|before: Vec<u64>| choices.clone().map(move |place| [&before[..], &[place]].concat()))
            .filter(|places| possible(&order[..=index], places))
            .collect();
    }
    places
}

fn possible(order: &[News], places: &[u64]) -> bool {
    let told = || order.iter().zip(places);
    let last = order.len() - 1;
    let (look, place) = (order[last], places[last]);
    !look.is_look()
        || told().take(last).all(|(earlier, at)| match earlier {
            // Asked for after this was told, it shows something at least as young.
            Killed | Died | Started => place < *at || earlier.time() < look.time(),
            VerdictUp => true,
            // Looks are asked for in the order of what they show.
            _ if earlier.time() < look.time() => at <= &place,
            _ => place < *at,
        })
}

#[test]
fn every_order_of_a_restart_ends_the_same() {
    let mut count = 0;
    let place = |order: &[News], news| order.iter().position(|other| *other == news);
    let in_order = |order: &Vec<News>| {
        place(order, Killed) < place(order, Died) && place(order, Died) < place(order, Started)
    };
    for order in permutations(&ALL).into_iter().filter(in_order) {
        for places in places(&order) {
            count += 1;
            let mut told = Told::new();
            let mut dead = BTreeSet::new();
            let mut killed = false;
            for (news, place) in order.iter().zip(&places) {
                told = told.tell(news.event(*place));
                killed |= *news == Killed;
                if killed || matches!(news, Died | SeenStopped | SeenLife2) {
                    dead.insert(at(LIFE));
                }
                let wrong = told.machine.wanted().iter().any(|wanted| dead.contains(&wanted.started_at));
                assert!(!wrong, "{order:?} {places:?} at {news:?}");
            }
            let fresh = SeenLife2.event(3);
            let told = told.tell(fresh).tell(VerdictUp.event(0));
            assert_eq!(told.weights(), [5], "{order:?} {places:?}");
            assert_eq!(told.machine.wanted()[0].started_at, at(LIFE + 100));
        }
    }
    println!("{count} orders");
    assert!(count > 720);
}
