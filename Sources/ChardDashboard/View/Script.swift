// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The one script: it keeps the page up to date, as long as nobody pauses it. Everything else works without it.
enum Script {
    static let text = """
        (() => {
          const main = document.querySelector("main[data-live]");
          const button = document.getElementById("live");
          const banner = document.getElementById("banner");
          // On a phone the menu is wider than the page.
          document.querySelector("header [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
          if (!main || !window.EventSource) return;

          const say = (text) => {
            banner.textContent = text || "";
            banner.hidden = !text;
          };
          // Parts are replaced one by one, and only where they have changed: what somebody types or has chosen stays.
          const show = (html) => {
            const next = new DOMParser().parseFromString(html, "text/html");
            const parts = main.querySelectorAll("[data-part]");
            for (const old of parts) {
              const part = next.querySelector(`[data-part="${CSS.escape(old.dataset.part)}"]`);
              if (!part || part.innerHTML === old.dataset.html) continue;
              if (old.dataset.html === undefined && part.innerHTML === old.innerHTML) continue;
              if (old.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) continue;
              const chosen = [...old.querySelectorAll("input:checked")].map((box) => box.value);
              const open = [...old.querySelectorAll("details[open][id]")].map((details) => details.id);
              old.dataset.html = part.innerHTML;
              old.innerHTML = part.innerHTML;
              for (const box of old.querySelectorAll("input[type=checkbox]")) box.checked = chosen.includes(box.value);
              for (const id of open) document.getElementById(id)?.setAttribute("open", "");
            }
          };

          let source;
          const start = () => {
            source = new EventSource(location.pathname + location.search);
            source.addEventListener("page", (event) => { say(); show(event.data); });
            source.addEventListener("away", (event) => say(event.data));
            source.addEventListener("end", () => { source.close(); });
            source.onerror = () => say("The dashboard does not answer. Trying again.");
          };
          const stop = () => { source.close(); say(); };

          const setLive = (isLive) => {
            button.setAttribute("aria-pressed", isLive);
            button.textContent = isLive ? "Pause" : "Go on";
            if (isLive) start(); else stop();
          };
          button.hidden = false;
          button.addEventListener("click", () => setLive(button.getAttribute("aria-pressed") !== "true"));
          setLive(true);

          // What one chooses to act on.
          document.addEventListener("change", (event) => {
            if (!event.target.matches("[data-all]")) return;
            for (const box of document.querySelectorAll(`input[name="${event.target.dataset.all}"]`)) {
              box.checked = event.target.checked;
            }
          });
        })();

        """
}
