//! Spans of tokens in the source.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};

/// The spans of the first and the last token.
pub(crate) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let first = tokens.next().map_or_else(Span::call_site, |tree| tree.span());
    let last = tokens.last().map_or(first, |tree| tree.span());
    (first, last)
}

/// A local for a tuple of one, and the code that reads its element, with the span of all of `at`: a span of more than
/// one token can only be set on code of more than one token.
///
/// rustc joins the places of tokens only when they look as if the author had written them, so the local's
/// name is one that authors do not write.
pub(crate) fn tuple(name: &str, at: &impl ToTokens) -> (Ident, TokenStream) {
    let (first, last) = ends(at);
    let local = format_ident!("__process_runtime_{name}", span = first);
    let mut index = Literal::usize_unsuffixed(0);
    index.set_span(last);
    let element = quote_spanned!(first=> #local.#index);
    (local, element)
}

/// A local at the first token of `at`, with a name that no item or local of the author has.
pub(crate) fn local_at(name: &str, at: &impl ToTokens) -> Ident {
    format_ident!("__process_runtime_{name}", span = ends(at).0)
}

/// A path in process-runtime, located at `place`. If the author set the path, it is resolved where the author wrote it;
/// otherwise as if it were written at `place`.
pub(crate) fn path_at(path: &TokenStream, given: bool, place: Span) -> TokenStream {
    let located = path.clone().into_iter().map(|mut tree| {
        let hygiene = if given { tree.span() } else { place };
        tree.set_span(place.resolved_at(hygiene));
        tree
    });
    located.collect()
}
