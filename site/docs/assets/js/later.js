/* Before the theme's own script. That starts a search worker and asks for the search index on every page; here both wait
   until somebody searches. */
const searched = new Promise((resolve) => {
  for (const kind of ["focusin", "change"])
    document.addEventListener(kind, ({ target }) => (target.id === "__search" || target.closest(".md-search")) && resolve());
});

const { open, send } = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.open = function (method, address, ...rest) {
  if (String(address).endsWith("/search_index.json")) this.send = () => searched.then(() => send.call(this));
  return open.call(this, method, address, ...rest);
};

const Own = Worker;
class Waiting extends EventTarget {
  constructor(address) {
    super();
    this.begun = searched.then(() => {
      const worker = new Own(address);
      worker.onmessage = ({ data }) => this.dispatchEvent(new MessageEvent("message", { data }));
      return worker;
    });
  }

  postMessage(message) {
    this.begun.then((worker) => worker.postMessage(message));
  }
}
window.Worker = function (address, ...rest) {
  return String(address).includes("/workers/search.") ? new Waiting(address) : new Own(address, ...rest);
};
