//! Which region the environment names. What else may name one is for whoever makes a client.

use aws_config::Region;

/// As the SDKs read it, but an empty variable is none. Source: AWS SDKs reference guide, "AWS Region".
pub fn named_region(variable: impl Fn(&str) -> Option<String>) -> Option<Region> {
    let given = |name| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(given).map(Region::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_region_is_none() {
        let named = |environment: &'static [(&str, &str)]| {
            named_region(|name| {
                let value = environment.iter().find(|(known, _)| *known == name);
                value.map(|(_, value)| (*value).to_owned())
            })
        };
        let region = |text| Some(Region::new(text));
        assert_eq!(named(&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "eu-west-1")]), region("eu-west-1"));
        assert_eq!(named(&[("AWS_REGION", "eu-west-2"), ("AWS_DEFAULT_REGION", "x")]), region("eu-west-2"));
        assert_eq!(named(&[("AWS_REGION", " ")]), None);
    }
}
