/* Before the theme's own script. It asks for its search index on every page; here that waits until somebody searches. */
"use strict";
{
  const searched = new Promise((resolve) => {
    for (const kind of ["focusin", "change"])
      document.addEventListener(kind, ({ target }) => (target.id === "__search" || target.closest(".md-search")) && resolve());
  });
  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, address, ...rest) {
    if (String(address).endsWith("/search_index.json")) this.send = () => searched.then(() => send.call(this));
    return open.call(this, method, address, ...rest);
  };
}
