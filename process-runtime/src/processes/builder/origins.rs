//! The settings of an application for the origin of requests: its own other origins, and a proxy in front.

use super::{BuildError, Builder};

/// The settings of the builder.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    /// In the form in which browsers send them.
    trusted: Vec<String>,
    /// True if the forwarded headers of a proxy are trusted.
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

/// An origin in the form in which browsers send it: in lower case, and without the default port of its scheme.
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
    // A wildcard would count as a literal name and never match.
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte);
    if !authority.host().bytes().all(is_host) {
        return None;
    }
    // Anything beyond a host and a port is not part of an origin.
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
    /// Sets the other origins whose pages may start, control and stream runs. Pages of the server's own origin
    /// always may. An origin consists of a scheme, a host and, unless it is the default, a port. The match is
    /// exact.
    ///
    /// ```
    /// let builder = process_runtime::builder().trusted_origins(["https://admin.example.org"]);
    /// ```
    ///
    /// [`build`](Self::build) returns an error if a text is not an origin. If scripts of these origins must read
    /// the responses, add CORS headers in a layer of your own. A form does not need them.
    pub fn trusted_origins<O: Into<String>>(mut self, origins: impl IntoIterator<Item = O>) -> Self {
        self.origins.trusted = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Sets whether to trust the forwarded headers of a proxy. Default: false.
    ///
    /// If true, the runtime takes the host from `Forwarded` or `X-Forwarded-Host` instead of `Host`, and the scheme
    /// from the `proto` of `Forwarded` or from `X-Forwarded-Proto`; over HTTPS, it marks its cookies `Secure`. It
    /// takes the client's address from the `for` of `Forwarded` or from `X-Forwarded-For`, and puts
    /// `X-Forwarded-Prefix` before the paths of pages. If a header has several values, the last one counts, which
    /// the nearest proxy added. If both headers name a host, the two must be equal.
    ///
    /// Enable this only if every request comes through a proxy that sets or removes these headers. Otherwise, any
    /// client can forge them.
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
