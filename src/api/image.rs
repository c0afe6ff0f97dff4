//! The name of a container's image, taken apart (`github.com/distribution/reference`).

/// What names an image: `registry.example:5000/team/api:1.2@sha256:…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image<'t> {
    /// The name with the registry, as written.
    pub repository: &'t str,
    /// The tag, if one is written.
    pub tag: Option<&'t str>,
    /// The digest that fixes it, if one is written.
    pub digest: Option<&'t str>,
}

impl<'t> Image<'t> {
    /// Takes the text of an `image` apart; a colon before the last slash belongs to the registry's port.
    pub fn of(text: &'t str) -> Image<'t> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let last = name.rfind('/').map_or(0, |it| it + 1);
        match name[last..].find(':') {
            Some(at) => {
                let (repository, tag) = name.split_at(last + at);
                Image { repository, tag: Some(&tag[1..]), digest }
            }
            None => Image { repository: name, tag: None, digest },
        }
    }

    /// The last part of the repository, which says what the program is.
    pub fn name(self) -> &'t str {
        self.repository.rsplit('/').next().unwrap_or(self.repository)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_have_a_repository_a_tag_and_a_digest() {
        for (text, repository, tag, digest, name) in [
            ("nginx", "nginx", None, None, "nginx"),
            ("nginx:1.27", "nginx", Some("1.27"), None, "nginx"),
            ("registry:5000/team/api", "registry:5000/team/api", None, None, "api"),
            (
                "registry:5000/api:2@sha256:00",
                "registry:5000/api",
                Some("2"),
                Some("sha256:00"),
                "api",
            ),
            ("api@sha256:00", "api", None, Some("sha256:00"), "api"),
            ("api:", "api", Some(""), None, "api"),
            ("", "", None, None, ""),
        ] {
            let image = Image::of(text);
            assert_eq!(image, Image { repository, tag, digest }, "{text}");
            assert_eq!(image.name(), name, "{text}");
        }
    }
}
