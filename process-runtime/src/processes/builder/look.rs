//! The settings of an application for the look of its pages.

use super::Builder;
use crate::branding::Branding;
use crate::layout::{Layout, Page};

impl Builder {
    /// Sets the name, the logo and the colours of the pages.
    ///
    /// ```
    /// use process_runtime::Branding;
    ///
    /// let builder = process_runtime::builder().branding(Branding::new().title("Shop").accent("#0a7d55"));
    /// ```
    pub fn branding(mut self, branding: Branding) -> Self {
        self.branding = branding;
        self
    }

    /// Sets your own layout. The server sends what this function returns as the page.
    ///
    /// ```
    /// # fn escaped(text: &str) -> String { text.replace('&', "&amp;").replace('<', "&lt;") }
    /// let builder = process_runtime::builder().layout(|page| {
    ///     format!(
    ///         r##"<!DOCTYPE html>
    /// <html lang="{}" dir="{}">
    ///   <head>
    ///     <meta charset="utf-8">
    ///     <meta name="viewport" content="width=device-width, initial-scale=1">
    ///     <title>{} – Shop</title>
    ///     {}
    ///     <link rel="stylesheet" href="/shop.css">
    ///   </head>
    ///   <body>
    ///     <a class="skip" href="#main">Skip to content</a>
    ///     <header><a href="/">Shop</a></header>
    ///     <main id="main">{}</main>
    ///   </body>
    /// </html>"##,
    ///         page.language(), page.direction(), escaped(page.title()), page.head(), page.content(),
    ///     )
    /// });
    /// ```
    ///
    /// The layout is used for every page, including error pages, and never for JSON, streams and downloads. To
    /// build a page of your own, use [`Page::data`] instead of [`Page::content`].
    ///
    /// The server does not sanitize the result: the layout must escape everything that it adds to the page's
    /// markup. The response keeps its headers, including the content security policy: scripts, styles and images
    /// must be files of this origin, `<style>` and `style="…"` have no effect, and scripts cannot write
    /// `innerHTML`. Style sheets without a cascade layer override those of the pages. If the layout panics, the
    /// server sends the page without it and logs an error.
    pub fn layout(mut self, layout: impl Fn(&Page<'_>) -> String + Send + Sync + 'static) -> Self {
        self.layout = Some(Layout::new(layout));
        self
    }
}
