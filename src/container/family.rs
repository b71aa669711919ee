//! What a container has in common with the one that is put in its place.
//!
//! A scheduler starts a new container where one has ended, and what stays the same is what it was started from. Owns
//! how that is told from what Docker says.

use std::fmt;

/// What a container was started from, as far as another one may be started from the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// The family of its ECS task definition, whichever revision.
    Task(String),
    /// Its image, as whoever started it named it.
    Image(String),
}

impl Family {
    /// Told by the ECS agent's label, else by the image. Whoever starts a container writes both, so what cannot be
    /// one is none: ECS bounds a family, and no registry takes a longer name of an image.
    pub fn of(label: Option<&str>, image: Option<&str>) -> Option<Self> {
        const FAMILY_OCTETS_MAX: usize = 255;
        const IMAGE_OCTETS_MAX: usize = 512;
        let fits = |text: &&str, most: usize| {
            !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let task = label.filter(|label| fits(label, FAMILY_OCTETS_MAX));
        let task = task.map(|label| Self::Task(label.to_owned()));
        let image = || Some(Self::Image(image.filter(|image| fits(image, IMAGE_OCTETS_MAX))?.to_owned()));
        task.or_else(image)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(family) => write!(f, "task family {family}"),
            Self::Image(image) => write!(f, "image {image}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_task_family_else_the_image() {
        let told = |label, image| Family::of(label, image).map(|family| family.to_string());
        assert_eq!(told(Some("web"), Some("nginx:1")).as_deref(), Some("task family web"));
        assert_eq!(told(None, Some("nginx:1")).as_deref(), Some("image nginx:1"));
        assert_eq!(told(None, None), None);
    }

    #[test]
    fn what_can_be_none_is_none() {
        let long = "a".repeat(256);
        for label in ["", "two words", "line\n", &long] {
            assert_eq!(Family::of(Some(label), None), None, "{label:?}");
            let image = Some(Family::Image("nginx".to_owned()));
            assert_eq!(Family::of(Some(label), Some("nginx")), image, "{label:?}");
        }
        assert_eq!(Family::of(None, Some(&long.repeat(3))), None);
    }
}
