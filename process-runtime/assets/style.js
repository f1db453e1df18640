// Owns the place of the element's own style sheet. Refuses to know what is in it: the server puts element.css here.

export const STYLE = "";
