//! What an application says about where requests come from: other origins of its own, and a proxy in front.

use super::{BuildError, Builder};

/// What the builder was told.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    /// In the form in which browsers send them.
    trusted: Vec<String>,
    /// True when what a proxy says of a request is believed.
    forwarded: bool,
}

impl Origins {
    /// True for an origin that was listed.
    pub(crate) fn trusts(&self, origin: &str) -> bool {
        self.trusted.iter().any(|trusted| trusted == origin)
    }

    pub(crate) fn are_forwarded(&self) -> bool {
        self.forwarded
    }

    pub(super) fn checked(self) -> Result<Self, BuildError> {
        let Self { trusted, forwarded } = self;
        let read = |text: &String| origin(text).ok_or_else(|| BuildError::Origin(text.clone()));
        Ok(Self { trusted: trusted.iter().map(read).collect::<Result<_, _>>()?, forwarded })
    }
}

/// An origin as browsers send it: in small letters, and without the port that its scheme has anyway.
fn origin(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://")?;
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let uri: http::Uri = text.parse().ok()?;
    let authority = uri.authority()?;
    // A wildcard would be taken for a name, and match nothing.
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte);
    if !authority.host().bytes().all(is_host) {
        return None;
    }
    // What is more than a host and a port is no origin.
    if authority.as_str() != rest || authority.host().is_empty() || rest.contains('@') || rest.ends_with(':')
    {
        return None;
    }
    if rest.strip_prefix(authority.host())?.contains(':') {
        authority.port_u16()?;
    }
    Some(format!("{scheme}://{}", rest.strip_suffix(usual).unwrap_or(rest)))
}

impl Builder {
    /// Lets pages of these origins start, control and stream, beside those of the origin that was asked itself. An
    /// origin is a scheme and a host, and a port where it is not the usual one; nothing else matches it.
    ///
    /// ```
    /// let builder = process_runtime::builder().trusted_origins(["https://admin.example.org"]);
    /// ```
    ///
    /// [`build`](Self::build) refuses what is no origin. For scripts there to read the answers, the application adds
    /// the headers of CORS in a layer of its own; a form needs none.
    pub fn trusted_origins<O: Into<String>>(mut self, origins: impl IntoIterator<Item = O>) -> Self {
        self.origins.trusted = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Whether what a proxy in front says of a request is believed; it is not without it.
    ///
    /// What browsers asked for is then the host of `Forwarded` or `X-Forwarded-Host` instead of the one in `Host`,
    /// `proto` or `X-Forwarded-Proto` says whether they came by HTTPS, which cookies are then kept to, and
    /// `X-Forwarded-Prefix` is put before the addresses of pages. Of several values the last one counts, which the
    /// nearest proxy added; where both headers name a host, it has to be the same.
    ///
    /// Say so only where every request comes through a proxy that sets or removes these headers: anybody can write
    /// them.
    pub fn trust_forwarded(mut self, trusted: bool) -> Self {
        self.origins.forwarded = trusted;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_scheme_and_host_only() {
        for (text, read) in [
            ("https://admin.example.org", "https://admin.example.org"),
            ("HTTPS://Admin.Example.org:443", "https://admin.example.org"),
            ("http://localhost:80", "http://localhost"),
            ("http://localhost:443", "http://localhost:443"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(origin(text).as_deref(), Some(read), "{text}");
        }
        for text in [
            "admin.example.org",
            "https://",
            "https://admin.example.org/",
            "https://admin.example.org/x",
            "null",
            "*",
            "https://*.example.org",
            "ftp://example.org",
            "https://ann@example.org",
            "https://example.org:",
            "https://example.org:99999",
            "https://example.org?x",
            "https://exam ple.org",
            "https://a,https://b",
            "",
        ] {
            assert_eq!(origin(text), None, "{text}");
        }
    }
}
