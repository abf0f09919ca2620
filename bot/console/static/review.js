// The review list by keys. A key presses what a person could press: whatever carries it in data-key. Without this script
// every one of them is a link or a button all the same.
"use strict";

(() => {
  const SETTLE_MS = 350; // after another item has come up, so that a key pressed twice does not decide on one unread
  const DECIDING = new Set(["a", "r", "s", "u"]);
  const ALIASES = { ArrowDown: "j", ArrowUp: "k" };
  const dialog = document.getElementById("keys");
  const switched = document.getElementById("keys-on");
  const opener = document.getElementById("keys-open");
  let isBusy = false;

  const queue = () => document.getElementById("queue");
  const isTyping = (element) => Boolean(element.closest("input:not([type=checkbox]), textarea, select, [contenteditable]"));

  switched.checked = localStorage.getItem("finetone-keys") !== "off";
  switched.addEventListener("change", () => localStorage.setItem("finetone-keys", switched.checked ? "on" : "off"));
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());

  function press(key) {
    const target = queue().querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return false;
    if (target.matches("summary")) openForm(target.parentElement);
    else if (target.matches("input")) target.focus();
    else target.click();
    return true;
  }

  function openForm(details) {
    details.open = true;
    const field = details.querySelector("textarea, input:not([type=hidden])");
    field.focus();
    field.setSelectionRange?.(field.value.length, field.value.length);
  }

  function choose() {
    const id = document.getElementById("item")?.dataset.id;
    const box = id ? queue().querySelector(`input[name="correction"][value="${CSS.escape(id)}"]`) : null;
    box?.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !dialog.open) return leave(event);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
      event.preventDefault();
      event.target.form?.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog.open || isTyping(event.target)) return;
    if (event.key === "?") {
      event.preventDefault();
      dialog.showModal();
      return;
    }
    if (!switched.checked) return;
    const key = ALIASES[event.key] ?? event.key;
    if (key !== event.key && !event.target.closest("#queue")) return; // elsewhere the arrows scroll
    if (isBusy || (DECIDING.has(key) && (event.repeat || !("ready" in queue().dataset)))) return;
    if (key === "x") choose();
    else if (!press(key)) return;
    event.preventDefault();
  });

  // Escape stops typing, then closes the form that is open.
  function leave(event) {
    const details = event.target.closest("details[name=deciding]");
    if (details) details.open = false;
    if (details || isTyping(event.target)) (document.getElementById("item-q") ?? event.target).focus();
    if (isTyping(event.target)) event.target.blur();
    document.getElementById("item-q")?.focus({ preventScroll: true });
  }

  queue().ownerDocument.addEventListener("toggle", (event) => {
    if (event.target.matches("details[name=deciding]") && event.target.open) openForm(event.target);
  }, true);

  // ---------------------------------------------------------------- choosing rows

  const boxes = () => [...queue().querySelectorAll('input[name="correction"]')];

  function count() {
    const all = document.getElementById("choose-all");
    if (!all) return;
    const chosen = boxes().filter((box) => box.checked).length;
    all.hidden = document.getElementById("choose-words").hidden = false;
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
    document.getElementById("together-count").textContent = chosen || "";
    document.getElementById("together-go").disabled = chosen === 0;
  }

  document.addEventListener("change", (event) => {
    if (event.target.id === "choose-all") for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.id === "choose-all" || event.target.name === "correction") count();
  });

  // ---------------------------------------------------------------- after another one has come up

  let chosen = [];
  let focused = "";

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target?.id === "queue") isBusy = true;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.target?.id === "queue") setTimeout(() => { isBusy = false; }, 50); // htmx settles 20 ms after the swap
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "queue") return;
    chosen = boxes().filter((box) => box.checked).map((box) => box.value);
    focused = document.activeElement?.closest(".filters") ? document.activeElement.id : "";
  });
  function settle() {
    const shown = queue();
    setTimeout(() => { shown.dataset.ready = ""; }, SETTLE_MS);
  }

  htmx.onLoad((root) => {
    if (root.id !== "queue") return;
    settle();
    for (const box of boxes()) box.checked = chosen.includes(box.value);
    count();
    const field = focused ? document.getElementById(focused) : null;
    const problem = root.querySelector("[aria-invalid]");
    (problem ?? field ?? document.getElementById("item-q") ?? document.getElementById("list"))?.focus({ preventScroll: Boolean(field) });
    root.querySelector(".queue-row.is-open")?.scrollIntoView({ block: "nearest" });
  });

  count();
  settle();
})();
