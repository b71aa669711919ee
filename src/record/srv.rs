//! The value of an SRV record.

use std::fmt;
use std::str::FromStr;

use super::canonical;

/// What the value of an SRV record says. Source of the fields: RFC 2782.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Srv<Target = String> {
    /// Lower is asked first.
    pub priority: u16,
    /// The share among equal priorities.
    pub weight: u16,
    /// Where the service listens.
    pub port: u16,
    /// The host's name: as text in canonical form, empty for the root, which means that there is no such
    /// service.
    pub target: Target,
}

/// Which field of an SRV value is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SrvError {
    /// There are more or fewer.
    #[error("an SRV value has four fields: priority, weight, port, target")]
    NotFourFields,
    /// The first.
    #[error("the priority is not a number from 0 to 65535")]
    Priority,
    /// The second.
    #[error("the weight is not a number from 0 to 65535")]
    Weight,
    /// The third.
    #[error("the port is not a number from 0 to 65535")]
    Port,
    /// The fourth.
    #[error("the target has an empty label")]
    Target,
}

impl<Target> Srv<Target> {
    /// The same, with the target in another form.
    pub fn with_target<Other>(self, target: Other) -> Srv<Other> {
        Srv { priority: self.priority, weight: self.weight, port: self.port, target }
    }
}

impl FromStr for Srv {
    type Err = SrvError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut fields = text.split_ascii_whitespace();
        let mut field = || fields.next().ok_or(SrvError::NotFourFields);
        let [priority, weight, port, target] = [field()?, field()?, field()?, field()?];
        if fields.next().is_some() {
            return Err(SrvError::NotFourFields);
        }
        Ok(Self {
            priority: number(priority).ok_or(SrvError::Priority)?,
            weight: number(weight).ok_or(SrvError::Weight)?,
            port: number(port).ok_or(SrvError::Port)?,
            target: name(target).ok_or(SrvError::Target)?,
        })
    }
}

/// The presentation form, as this system writes it: one blank between the fields, no final dot.
impl fmt::Display for Srv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = if self.target.is_empty() { "." } else { &self.target };
        write!(f, "{} {} {} {target}", self.priority, self.weight, self.port)
    }
}

/// A number in decimal digits alone: no sign.
fn number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn name(text: &str) -> Option<String> {
    let name = canonical(text);
    (name.is_empty() || name.split('.').all(|label| !label.is_empty())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_four_fields_whatever_is_between_them() {
        let srv = Srv { priority: 1, weight: 2, port: 32_768, target: "i-0a.sd.internal".into() };
        for text in
            ["1 2 32768 i-0a.sd.internal", "1 2 32768 I-0A.sd.Internal.", " 1\t2  32768 i-0a.sd.internal "]
        {
            assert_eq!(text.parse(), Ok(srv.clone()), "{text}");
        }
        assert_eq!(srv.to_string(), "1 2 32768 i-0a.sd.internal");
        let nobody: Srv = "0 0 0 .".parse().unwrap();
        assert_eq!((nobody.target.as_str(), nobody.to_string().as_str()), ("", "0 0 0 ."));
    }

    #[test]
    fn says_which_field_is_wrong() {
        for (text, error) in [
            ("", SrvError::NotFourFields),
            ("1 1 80", SrvError::NotFourFields),
            ("1 1 80 a b", SrvError::NotFourFields),
            ("x 1 80 a", SrvError::Priority),
            ("1 -1 80 a", SrvError::Weight),
            ("1 1 +80 a", SrvError::Port),
            ("1 1 65536 a", SrvError::Port),
            ("1 1 80 a..b", SrvError::Target),
            ("1 1 80 a..", SrvError::Target),
        ] {
            assert_eq!(text.parse::<Srv>(), Err(error), "{text}");
        }
    }
}
