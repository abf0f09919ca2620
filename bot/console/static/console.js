// The console's own script: follows replies as they are written, keeps the form at hand, shows moments in local time.
// Every page works without it, more slowly. No inline handlers and no markup from strings: the CSP forbids the first,
// and what people and models wrote is only ever put in as text.
"use strict";

(() => {
  const atBottom = () => window.scrollTo({ top: document.body.scrollHeight });

  // Replies in the making, a few at a time: a browser holds six connections to one host, and the page needs some itself.
  const STREAMS = 3;
  const queue = [];
  let open = 0;

  // Each event is the whole text so far; `done` fetches the finished turn.
  function follow(reply) {
    const text = reply.querySelector(".text");
    const turn = reply.closest(".turn");
    const source = new EventSource(reply.dataset.stream);
    open += 1;
    const close = () => {
      if (reply.dataset.closed) return;
      reply.dataset.closed = "yes";
      source.close();
      open -= 1;
      next();
    };
    const finish = () => {
      close();
      if (turn.isConnected) htmx.ajax("GET", reply.dataset.final, { target: turn, swap: "outerHTML" });
    };
    source.onmessage = (event) => {
      const wasAtBottom = window.innerHeight + window.scrollY >= document.body.scrollHeight - 80;
      text.textContent = JSON.parse(event.data);
      if (wasAtBottom) atBottom();
    };
    source.addEventListener("done", finish);
    source.onerror = () => {
      if (!turn.isConnected) close();
      else if (source.readyState === EventSource.CLOSED) finish(); // refused, not interrupted: show what there is to say
    };
  }

  function next() {
    while (open < STREAMS && queue.length) follow(queue.shift());
  }

  function localTimes(root) {
    const form = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    for (const time of root.querySelectorAll("time[datetime]")) {
      time.title = time.title || time.textContent;
      time.textContent = new Date(time.dateTime).toLocaleString("en-GB", form);
    }
  }

  htmx.onLoad((root) => {
    queue.push(...[...root.querySelectorAll("[data-stream]")].reverse()); // the newest first
    next();
    localTimes(root);
    const correcting = root.closest?.(".turn") && root.matches?.(".correct") ? root : root.querySelector?.(".turn .correct");
    correcting?.scrollIntoView({ block: "center" }); // its buttons too, not only the box that takes the focus
  });

  // htmx tells of a failure to reach the console at all; what was typed stays where it is.
  document.addEventListener("htmx:sendError", (event) => {
    if (event.detail.requestConfig.verb === "get") return; // a poll: the next one may succeed
    const problem = document.createElement("p");
    problem.className = "problem";
    problem.setAttribute("role", "alert");
    problem.textContent = "The console cannot be reached. What you wrote is still here; try again in a moment.";
    document.getElementById("notice").replaceChildren(problem);
  });

  const form = document.getElementById("ask");
  if (!form) return;
  const question = form.elements.text;
  const problems = document.getElementById("ask-problem");

  let sent = "";
  form.addEventListener("htmx:beforeRequest", () => {
    sent = question.value;
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    const { elt, xhr } = event.detail;
    if (elt !== form || xhr.status < 200 || xhr.status >= 400) return;
    if (question.value.startsWith(sent)) question.value = question.value.slice(sent.length); // the next may be begun
    problems.replaceChildren();
    question.focus();
    atBottom();
  });

  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });

  for (const chip of document.querySelectorAll("[data-fill]")) {
    chip.addEventListener("click", () => {
      question.value = chip.dataset.fill;
      question.focus();
    });
  }

  if (location.hash) document.querySelector(location.hash)?.scrollIntoView({ block: "center" });
  else if (document.querySelector(".turn")) atBottom();
})();
