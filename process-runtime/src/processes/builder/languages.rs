//! What an application says about the languages of its pages.

use super::Builder;

impl Builder {
    /// Adds a language, or completes one: JSON with a text for each key, as in the catalogs that the crate comes
    /// with, and for texts about a number of things one for each plural form. What is left out stays in English;
    /// in a kind of a language that is there, such as `de-AT`, it stays as in that.
    ///
    /// ```
    /// let portuguese = r#"{
    ///     "page.processes": "Processos",
    ///     "log.earlier": { "one": "{n} linha anterior", "other": "{n} linhas anteriores" }
    /// }"#;
    /// let builder = process_runtime::builder().language("pt", portuguese);
    /// ```
    ///
    /// [`build`](Self::build) refuses what is no JSON, and keys and places that are not known.
    pub fn language(mut self, tag: impl Into<String>, json: impl Into<String>) -> Self {
        self.languages.language(tag.into(), json.into());
        self
    }

    /// Replaces one text of one language.
    ///
    /// ```
    /// let builder = process_runtime::builder().text("en", "page.processes", "Jobs");
    /// ```
    pub fn text(mut self, tag: impl Into<String>, key: impl Into<String>, text: impl Into<String>) -> Self {
        self.languages.text(tag.into(), key.into(), text.into());
        self
    }

    /// The language of those who ask for none that is offered. Without it, English.
    ///
    /// ```
    /// let builder = process_runtime::builder().default_language("de");
    /// ```
    pub fn default_language(mut self, tag: impl Into<String>) -> Self {
        self.languages.default_to(tag.into());
        self
    }

    /// Offers these languages only. Where English is not among them, the first is the default.
    ///
    /// ```
    /// let builder = process_runtime::builder().languages(["de", "en"]);
    /// ```
    pub fn languages<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.languages.offer(tags.into_iter().map(Into::into).collect());
        self
    }
}
