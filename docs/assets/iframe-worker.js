// Search on pages that are opened as files: browsers start no worker from a file, so its script runs in a hidden frame.
"use strict";
(() => {
  if (location.protocol !== "file:") {
    return;
  }
  // What the script of a worker finds in the frame: messages come as events, postMessage() answers the page.
  const scope = () => {
    self.importScripts = (...urls) =>
      urls.reduce(
        (before, url) =>
          before.then(
            () =>
              new Promise((loaded, failed) => {
                const script = document.createElement("script");
                script.src = url;
                script.onload = loaded;
                script.onerror = failed;
                document.head.appendChild(script);
              })
          ),
        Promise.resolve()
      );
    self.postMessage = (data) => self.answer(data);
  };
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.onmessage = null;
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.srcdoc = `<script>(${scope})()</` + `script><script src="${url}"></` + "script>";
      this.frame.addEventListener("load", () => {
        const messages = this.waiting;
        this.waiting = null;
        this.frame.contentWindow.answer = (data) => {
          const event = new MessageEvent("message", { data });
          this.dispatchEvent(event);
          if (this.onmessage) {
            this.onmessage(event);
          }
        };
        messages.forEach((data) => this.postMessage(data));
      });
      document.body.appendChild(this.frame);
    }

    postMessage(data) {
      if (this.waiting) {
        this.waiting.push(data);
        return;
      }
      const inside = this.frame.contentWindow;
      inside.dispatchEvent(new inside.MessageEvent("message", { data }));
    }

    terminate() {
      this.frame.remove();
    }
  };
})();
