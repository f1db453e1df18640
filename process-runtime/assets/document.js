// Requests for pages as documents.

/**
 * Requests a page. `answered` resolves to its status, which is 0 without an answer, its address, and the page, if it is one;
 * `prepare` is called before the request is sent. Not by `fetch`, because policies with trusted types forbid to parse HTML
 * from a string.
 */
export function requestDocument(method, address, body = null, prepare = () => {}) {
  const request = new XMLHttpRequest();
  request.open(method, address);
  request.responseType = "document";
  request.setRequestHeader("accept", "text/html");
  const answered = new Promise((done) => {
    request.addEventListener("loadend", () => {
      // Chromium reads what has no type as XML, and puts its errors into a document with styles, against the policy.
      const isPage = /html/.test(request.getResponseHeader("content-type"));
      done({ status: request.status, address: request.responseURL, page: isPage ? request.response : null });
    });
  });
  prepare(request);
  request.send(body);
  return { request, answered };
}
