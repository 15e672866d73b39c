"use strict";
// A run under way: the server says when its journal has grown, and the page is fetched again. Without this script the
// page says how to load it anew. Nothing here makes elements of text: the page of the server is put in place as it is.
(() => {
  const main = document.querySelector("main[data-live='yes']");
  if (!main || !window.EventSource) {
    return;
  }
  const source = new EventSource(location.pathname + "/events");
  let busy = false;
  let again = false;
  const renew = async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      const answer = await fetch(location.pathname, { headers: { "X-Renewed": "yes" }, redirect: "error" });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const next = page.querySelector("main");
        if (next) {
          document.querySelector("main").replaceChildren(...next.childNodes);
          document.title = page.title;
        }
      }
    } catch {
      source.close();
    } finally {
      busy = false;
      if (again) {
        again = false;
        renew();
      }
    }
  };
  source.addEventListener("change", renew);
  source.addEventListener("end", () => {
    source.close();
    renew();
  });
})();
