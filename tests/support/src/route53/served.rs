//! A Route 53 of one zone over HTTP, on the embedded model: as fast or slow as it is told, refusing what it is
//! told to, and letting a test do something before any call.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecssd::record::{Action, Change, RecordSet};
use ecssd::zone::Zone;
use ecssd::zone::embedded::{EmbeddedZone, Options};
use futures_util::FutureExt;

use super::model::{self, ID};
use super::wire::{self, Asked, Form, Reply};
use crate::http::{Answer, Request, serve};

const HOST: &str = "https://route53.amazonaws.com";
const XML: &str = "text/xml";

type Rule = Box<dyn FnMut(&Asked, usize) -> Option<Reply> + Send>;

/// The service. A clone is another handle to it.
#[derive(Clone)]
pub struct Route53 {
    pub url: String,
    pub zone: EmbeddedZone,
    asked: Arc<Mutex<Vec<Asked>>>,
    rule: Arc<Mutex<Rule>>,
}

impl Route53 {
    pub fn start(name: &str, delay: Duration) -> Self {
        let zone = EmbeddedZone::in_memory(name, Options::default()).unwrap();
        let rule: Rule = Box::new(|_, _| None);
        let (url, rule) = (String::new(), Arc::new(Mutex::new(rule)));
        let mut service = Self { url, zone, asked: Arc::default(), rule };
        let serving = service.clone();
        service.url = serve(move |request| {
            std::thread::sleep(delay);
            serving.answer(request)
        });
        service
    }

    /// What some calls come to instead, by their number among all: judged one after another, so that it may count.
    pub fn rule(&self, rule: impl FnMut(&Asked, usize) -> Option<Reply> + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    /// Pages that were asked for, and batches.
    pub fn counts(&self) -> (usize, Vec<Vec<Change>>) {
        let asked = self.asked.lock().unwrap();
        let lists = asked.iter().filter(|asked| matches!(asked, Asked::List { .. })).count();
        let batch = |asked: &Asked| match asked {
            Asked::Change(batch) => Some(batch.clone()),
            _ => None,
        };
        (lists, asked.iter().filter_map(batch).collect())
    }

    pub fn create(&self, sets: Vec<RecordSet>) {
        let create = |set: &RecordSet| Change { action: Action::Create, set: set.clone() };
        for sets in sets.chunks(500) {
            let batch: Vec<Change> = sets.iter().map(create).collect();
            self.zone.change(&batch).now_or_never().unwrap().unwrap();
        }
    }

    /// The identifiers of all records that have one.
    pub fn marks(&self) -> Vec<String> {
        self.zone.snapshot().into_iter().filter_map(|set| set.set_identifier).collect()
    }

    fn answer(&self, request: &Request) -> Answer {
        let name = self.zone.name();
        let zone = format!(
            "<HostedZone><Id>/hostedzone/{ID}</Id><Name>{name}.</Name><CallerReference>c</CallerReference>\
             <Config><PrivateZone>true</PrivateZone></Config></HostedZone>"
        );
        let target = request.target();
        if target.starts_with("/2013-04-01/hostedzonesbyname") {
            let answer = format!(
                "<ListHostedZonesByNameResponse><HostedZones>{zone}</HostedZones><IsTruncated>false\
                 </IsTruncated><MaxItems>100</MaxItems></ListHostedZonesByNameResponse>"
            );
            return (200, XML, answer);
        }
        if target == format!("/2013-04-01/hostedzone/{ID}") {
            return (200, XML, format!("<GetHostedZoneResponse>{zone}</GetHostedZoneResponse>"));
        }
        let asked = wire::read(request.method(), &format!("{HOST}{target}"), &request.body, ID);
        let number = {
            let mut all = self.asked.lock().unwrap();
            all.push(asked.clone());
            all.len()
        };
        // Without the lock on what was asked: the rule may want to know it.
        let told = (self.rule.lock().unwrap())(&asked, number);
        let (status, xml) = told.unwrap_or_else(|| model::reply(&self.zone, &asked, Form::Common));
        (status, XML, xml)
    }
}

/// As the account's rate is used up.
pub fn throttled() -> Reply {
    wire::error(400, "Throttling", "Rate exceeded")
}
