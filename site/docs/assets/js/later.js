/* Before the theme's own script. That starts a search worker and asks for the search index on every page; here both wait
   until somebody searches. */
const searched = new Promise((resolve) => {
  for (const kind of ["focusin", "change"])
    document.addEventListener(kind, ({ target }) => target.closest("#__search, .md-search") && resolve());
});

const { open, send } = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.open = function (method, address, ...rest) {
  if (String(address).endsWith("/search_index.json")) this.send = () => searched.then(() => send.call(this));
  return open.call(this, method, address, ...rest);
};

const Own = Worker;
window.Worker = function (address, ...rest) {
  if (!String(address).includes("/workers/search.")) return new Own(address, ...rest);
  const waiting = new EventTarget();
  const begun = searched.then(() => {
    const worker = new Own(address);
    worker.onmessage = ({ data }) => waiting.dispatchEvent(new MessageEvent("message", { data }));
    return worker;
  });
  waiting.postMessage = (message) => begun.then((worker) => worker.postMessage(message));
  return waiting;
};
