//! What CloudFormation asks, and how it is answered. Pure.
//!
//! Source: CloudFormation user guide, "Custom resource request types" and "response objects".

use serde::Deserialize;
use serde_json::{Value, json};

/// The most that an answer may say of a reason: all of it has to fit into 4,096 bytes.
const REASON_MAX: usize = 1_000;

/// Who asked, and so is answered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Caller {
    /// What is to become of the resource.
    pub request_type: RequestType,
    /// Where the answer goes.
    #[serde(rename = "ResponseURL")]
    pub response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    /// Of one that is there.
    #[serde(default)]
    physical_resource_id: Option<String>,
}

/// What is to become of the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum RequestType {
    /// It is to come.
    Create,
    /// It is to be what its properties say.
    Update,
    /// It is to go.
    Delete,
}

/// What the resource is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Properties {
    /// The zone's id.
    pub zone_id: String,
    /// The zone's name.
    pub zone_name: String,
    /// Seconds that resolvers may remember that a name is not there.
    pub negative_ttl: u32,
}

impl Caller {
    /// Who sent this event.
    ///
    /// # Errors
    /// Where it is no event of a custom resource: there is nobody to answer.
    pub fn read(event: &Value) -> Result<Self, String> {
        Self::deserialize(event).map_err(|error| format!("this is no event of a custom resource: {error}"))
    }

    /// The answer. The resource is its zone: of another zone it is another one, and the former is deleted.
    pub fn answer(&self, properties: Option<&Properties>, outcome: Result<(), &str>) -> Value {
        let made = properties.map(|properties| format!("{}/zone-setup", properties.zone_id));
        // A deletion, and whatever could not be read, is of the one that is there.
        let known = self
            .physical_resource_id
            .clone()
            .filter(|_| self.request_type == RequestType::Delete || properties.is_none() || outcome.is_err());
        let (status, reason) = match outcome {
            Ok(()) => ("SUCCESS", String::new()),
            Err(reason) => ("FAILED", reason.chars().take(REASON_MAX).collect()),
        };
        json!({
            "Status": status,
            "Reason": reason,
            "PhysicalResourceId": known.or(made).unwrap_or_else(|| "none/zone-setup".to_owned()),
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_resource_id,
        })
    }
}

impl Properties {
    /// What the resource is to be.
    ///
    /// # Errors
    /// What of it is not there, or no good.
    pub fn read(event: &Value) -> Result<Self, String> {
        // CloudFormation makes every value a text.
        let text = |name: &str| match &event["ResourceProperties"][name] {
            Value::String(text) if !text.is_empty() => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(format!("the property {name} is missing")),
        };
        let negative_ttl = text("NegativeTtl")?;
        Ok(Self {
            zone_id: text("ZoneId")?,
            zone_name: crate::record::canonical(&text("ZoneName")?),
            negative_ttl: negative_ttl
                .parse()
                .map_err(|_| format!("NegativeTtl is a number of seconds, and not {negative_ttl:?}"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(request: &str) -> Value {
        json!({
            "RequestType": request,
            "ServiceToken": "arn:aws:lambda:us-east-1:111122223333:function:zone-setup",
            "ResponseURL": "https://example.invalid/answer?signature=x",
            "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/sd/1",
            "RequestId": "r1",
            "LogicalResourceId": "ZoneSetup",
            "ResourceType": "Custom::ZoneSetup",
            "ResourceProperties": {"ZoneId": "Z1", "ZoneName": "sd.internal.", "NegativeTtl": "5"},
        })
    }

    #[test]
    fn is_asked_by_a_custom_resource_alone() {
        let caller = Caller::read(&event("Create")).unwrap();
        assert_eq!(caller.request_type, RequestType::Create);
        assert_eq!(caller.response_url, "https://example.invalid/answer?signature=x");
        for missing in ["RequestType", "ResponseURL", "StackId"] {
            let mut event = event("Create");
            event.as_object_mut().unwrap().remove(missing);
            assert!(Caller::read(&event).unwrap_err().contains(missing), "{missing}");
        }
        for other in [json!({}), json!(null), json!({"dry_run": true}), event("Explode")] {
            assert!(Caller::read(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn properties_are_texts_or_numbers_and_all_are_needed() {
        let five = Properties { zone_id: "Z1".into(), zone_name: "sd.internal".into(), negative_ttl: 5 };
        assert_eq!(Properties::read(&event("Create")), Ok(five.clone()));
        let mut number = event("Create");
        number["ResourceProperties"]["NegativeTtl"] = json!(5);
        assert_eq!(Properties::read(&number), Ok(five));
        for name in ["ZoneId", "ZoneName", "NegativeTtl"] {
            let mut event = event("Create");
            event["ResourceProperties"][name] = json!("");
            assert!(Properties::read(&event).unwrap_err().contains(name));
        }
        let mut odd = event("Create");
        odd["ResourceProperties"]["NegativeTtl"] = json!("soon");
        assert!(Properties::read(&odd).unwrap_err().contains("soon"));
    }

    #[test]
    fn the_answer_names_the_zone_and_a_deletion_what_is_there() {
        let properties = Properties::read(&event("Create")).unwrap();
        let answer = Caller::read(&event("Create")).unwrap().answer(Some(&properties), Ok(()));
        let expected = json!({
            "Status": "SUCCESS", "Reason": "", "PhysicalResourceId": "Z1/zone-setup", "RequestId": "r1",
            "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/sd/1", "LogicalResourceId": "ZoneSetup",
        });
        assert_eq!(answer, expected);
        // Of another zone it is another resource, once that is made.
        let mut former = event("Update");
        former["PhysicalResourceId"] = json!("Z0/zone-setup");
        let caller = Caller::read(&former).unwrap();
        assert_eq!(caller.answer(Some(&properties), Ok(()))["PhysicalResourceId"], "Z1/zone-setup");
        assert_eq!(caller.answer(Some(&properties), Err("no"))["PhysicalResourceId"], "Z0/zone-setup");
        assert_eq!(caller.answer(None, Err("no"))["PhysicalResourceId"], "Z0/zone-setup");
        former["RequestType"] = json!("Delete");
        let caller = Caller::read(&former).unwrap();
        assert_eq!(caller.answer(Some(&properties), Ok(()))["PhysicalResourceId"], "Z0/zone-setup");
    }

    #[test]
    fn a_long_reason_is_cut() {
        let answer = Caller::read(&event("Create")).unwrap().answer(None, Err(&"ü".repeat(5_000)));
        assert_eq!(answer["Status"], "FAILED");
        assert!(answer.to_string().len() < 4_096);
    }
}
