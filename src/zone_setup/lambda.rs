//! Does what a custom resource asks, and answers.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

use super::event::{Caller, Properties, RequestType};
use super::plan;
use crate::aws;
use crate::change::batch::{pack, units};
use crate::record::RecordSet;
use crate::zone::route53::Route53Zone;
use crate::zone::{Course, PAGE_ITEMS_MAX, Zone, ZoneError};

/// The handler that a function is set up with to be this one. The program is one; its runtime says by a variable which
/// function it is. Source: Lambda developer guide, "Defined runtime environment variables" (`_HANDLER`).
pub const HANDLER: &str = "zone-setup";
/// See [`HANDLER`].
pub const HANDLER_VARIABLE: &str = "_HANDLER";

/// How often it is tried. With the pauses it is a minute and a half, within the five minutes that the function is given.
const ATTEMPTS: usize = 30;
/// Between two attempts: Route 53 takes one change of a zone at a time, and is asked by others too.
const PAUSE: Duration = Duration::from_secs(3);
/// How often the answer is sent, and how long one may take.
const ANSWERS: usize = 3;
/// See [`ANSWERS`].
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Deals with events until the runtime has had enough.
///
/// # Errors
/// When the runtime API does not answer.
pub async fn serve() -> Result<(), String> {
    let handle = service_fn(|event: LambdaEvent<Value>| async move { deal_with(event.payload).await });
    lambda_runtime::run(handle).await.map_err(|error| format!("the Lambda runtime: {error}"))
}

async fn deal_with(event: Value) -> Result<Value, String> {
    let caller = Caller::read(&event)?;
    let properties = Properties::read(&event);
    let outcome = match &properties {
        Ok(properties) => carry_out(caller.request_type, properties).await,
        // What was never set up as it should be has nothing in the zone.
        Err(_) if caller.request_type == RequestType::Delete => Ok(()),
        Err(reason) => Err(reason.clone()),
    };
    if let Err(reason) = &outcome {
        tracing::error!(event = "zone_setup_failed", request = ?caller.request_type, reason, "the zone could not be set up");
    }
    let answer = caller.answer(properties.as_ref().ok(), outcome.as_ref().copied().map_err(String::as_str));
    send(&caller.response_url, &answer).await?;
    Ok(answer)
}

async fn carry_out(request: RequestType, properties: &Properties) -> Result<(), String> {
    let config = aws::config(None, aws::named_region(|name| std::env::var(name).ok())).await;
    let client = aws_sdk_route53::Client::new(&config);
    let zone = Route53Zone::new(client, properties.zone_name.clone(), properties.zone_id.clone());
    run(&zone, request, properties).await
}

/// Has the zone be as it is asked for.
///
/// # Errors
/// Why it is not.
pub async fn run(zone: &dyn Zone, request: RequestType, properties: &Properties) -> Result<(), String> {
    let mut last = String::new();
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        match once(zone, request, properties).await {
            Ok(done) => return done,
            Err(ZoneError::NoSuchZone(_)) if request == RequestType::Delete => return Ok(()),
            // Somebody has to mend that.
            Err(
                error @ (ZoneError::NoSuchZone(_)
                | ZoneError::Denied(_)
                | ZoneError::Unauthenticated(_)
                | ZoneError::Invalid(_)),
            ) => return Err(error.to_string()),
            // Busy, unheard, or changed by somebody since it was read: what is left to do is read anew.
            Err(error) => last = error.to_string(),
        }
    }
    Err(format!("not done in {ATTEMPTS} attempts: {last}"))
}

async fn once(
    zone: &dyn Zone,
    request: RequestType,
    properties: &Properties,
) -> Result<Result<(), String>, ZoneError> {
    let (sets, name) = (read(zone).await?, zone.name());
    let changes = match request {
        RequestType::Create | RequestType::Update => plan::lower(&sets, name, properties.negative_ttl),
        RequestType::Delete => plan::empty(sets, name),
    };
    let changes = match changes {
        Ok(changes) => changes,
        Err(reason) => return Ok(Err(reason)),
    };
    let units = units(changes);
    let mut left = &units[..];
    while !left.is_empty() {
        let packed = pack(left);
        let batch: Vec<_> = packed.iter().flat_map(|unit| unit.changes.clone()).collect();
        zone.change(&batch).await?;
        tracing::info!(event = "zone_set_up", changes = batch.len(), ?request, "written");
        left = &left[packed.len()..];
    }
    Ok(Ok(()))
}

async fn read(zone: &dyn Zone) -> Result<Vec<RecordSet>, ZoneError> {
    let (mut sets, mut start, mut course) = (Vec::new(), None, Course::default());
    loop {
        let page = zone.list(start.as_ref(), PAGE_ITEMS_MAX).await?;
        sets.extend(page.sets);
        let Some(next) = page.next else { return Ok(sets) };
        course.go_on(next.clone()).map_err(|endless| ZoneError::Unknown(endless.to_string()))?;
        start = Some(next);
    }
}

async fn send(url: &str, answer: &Value) -> Result<(), String> {
    let connector = aws::connector();
    let mut last = String::new();
    for _ in 0..ANSWERS {
        // Without a content type: the address is signed for none.
        let mut request = HttpRequest::new(SdkBody::from(answer.to_string()));
        request.set_method("PUT").map_err(|error| error.to_string())?;
        request.set_uri(url).map_err(|error| error.to_string())?;
        match tokio::time::timeout(ANSWER_LIMIT, connector.call(request)).await {
            Ok(Ok(told)) if told.status().is_success() => return Ok(()),
            Ok(Ok(told)) => last = format!("HTTP {}", told.status().as_u16()),
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => last = format!("no answer within {ANSWER_LIMIT:?}"),
        }
    }
    Err(format!("the answer was not taken: {last}"))
}
