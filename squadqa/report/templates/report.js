"use strict";
// Lists all questions of a report, filters them, and draws what was seen inside the models.
// Texts come from outside: they are set as text, never as markup.
(async () => {
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const OUTCOMES = ["right", "partly right", "wrong"];
  const BADGES = ["right", "partly", "wrong"];
  const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const PAGE = 30;
  if (typeof DecompressionStream === "undefined") {
    $("status").textContent = "This browser is too old to list all questions; some stand below.";
    return;
  }

  const fill = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const el = (name, attributes = {}, ...children) =>
    fill(document.createElement(name), attributes, children);
  const svg = (name, attributes = {}, ...children) =>
    fill(document.createElementNS(SVG, name), attributes, children);
  const values = (digits) => Array.from(digits, (one) => DIGITS.indexOf(one) / 61);
  const percent = (value) => `${Math.round(value)} %`;

  const bytes = Uint8Array.from(atob($("payload").textContent.trim()), (one) => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const report = JSON.parse(await new Response(stream).text());
  const { systems, questions, contexts, dimensions } = report;

  const textOf = (question, answer) =>
    answer.length === 3
      ? contexts[question[2]][1].slice(answer[1], answer[2])
      : answer[1];
  const goldOf = (question) =>
    question[3].map((one) =>
      typeof one === "string" ? one : contexts[question[2]][1].slice(one[0], one[1]));
  const outcomeOf = (scored) => (scored[0] ? 0 : scored[1] > 0 ? 1 : 2);

  // Filters
  for (const [place, name] of systems.entries()) {
    const select = el("select", { id: `outcome${place}` }, el("option", { value: "" }, "any"));
    OUTCOMES.forEach((one, value) => select.append(el("option", { value }, one)));
    $("outcomes").append(el("label", {}, name, select));
  }
  for (const [place, [name, labels]] of dimensions.entries()) {
    const group = el("optgroup", { label: name });
    const there = new Set(questions.map((question) => question[4][place]));
    labels.forEach((label, value) => {
      if (there.has(value)) group.append(el("option", { value: `${place}:${value}` }, label));
    });
    $("slice").append(group);
  }
  if (systems.length > 1) {
    const choices = [["differ", "one right, one not"], ["texts", "different answers"]];
    systems.forEach((name, place) => choices.push([`best${place}`, `${name} better`]));
    choices.forEach(([value, text]) => $("compare").append(el("option", { value }, text)));
  } else {
    $("compare-label").hidden = true;
  }

  const compares = (question, how) => {
    const scored = question[5];
    if (how === "differ") return new Set(scored.map((one) => one[0])).size > 1;
    if (how === "texts") {
      return new Set(scored.map((one) => (one[2].length ? textOf(question, one[2][0]) : ""))).size > 1;
    }
    const best = Number(how.slice(4));
    return scored.every((one, place) => place === best || scored[best][1] > one[1]);
  };
  const found = (question, words) => {
    const answers = question[5].flatMap((one) => one[2].slice(0, 1)).map((one) => textOf(question, one));
    const [title, context] = contexts[question[2]];
    const all = [question[1], question[0], ...goldOf(question), ...answers, report.titles[title], context];
    const text = all.join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const filtered = () => {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const slice = $("slice").value.split(":").map(Number);
    const wanted = systems.map((_, place) => $(`outcome${place}`).value);
    const how = $("compare").value;
    return questions.reduce((rows, question, row) => {
      const fits =
        (!$("slice").value || question[4][slice[0]] === slice[1]) &&
        wanted.every((one, place) => one === "" || Number(one) === outcomeOf(question[5][place])) &&
        (!how || compares(question, how)) &&
        (!$("looked").checked || row in report.inspected) &&
        (!words.length || found(question, words));
      if (fits) rows.push(row);
      return rows;
    }, []);
  };

  // One question
  const marked = (question) => {
    const text = contexts[question[2]][1];
    const spans = question[3].filter((one) => typeof one !== "string").map((one) => ["gold", ...one]);
    question[5].forEach((one, place) => {
      const best = one[2][0];
      if (best && best.length === 3) spans.push([place, best[1], best[2]]);
    });
    const edges = [...new Set([0, text.length, ...spans.flatMap((one) => one.slice(1))])];
    edges.sort((one, other) => one - other);
    const parts = el("p", { class: "context" });
    edges.slice(0, -1).forEach((begin, place) => {
      const end = edges[place + 1];
      const over = spans.filter((one) => one[1] <= begin && end <= one[2]).map((one) => one[0]);
      if (!over.length) {
        parts.append(text.slice(begin, end));
        return;
      }
      const kinds = [...new Set(over)];
      const names = kinds.map((one) => (one === "gold" ? "given answer" : systems[one]));
      const lines = kinds.filter((one) => one !== "gold")
        .map((one, row) => `inset 0 ${-2.5 * (row + 1)}px 0 var(--s${one})`);
      const mark = el("mark", { title: names.join(", ") });
      if (kinds.includes("gold")) mark.className = "gold";
      mark.style.boxShadow = lines.reverse().join(", ") || "none";
      mark.style.paddingBottom = `${2.5 * lines.length + 1}px`;
      if (spans.some((one) => one[1] === begin)) {
        mark.append(el("span", { class: "sr" }, ` [${names.join(", ")}:] `));
      }
      mark.append(text.slice(begin, end));
      parts.append(mark);
    });
    return parts;
  };
  const bar = (place, share, text) => {
    const inside = el("span");
    inside.style.width = `${Math.max(0, Math.min(100, share))}%`;
    return el("div", { class: `bar s${place}`, "aria-hidden": "true", title: text }, inside);
  };
  const answers = (question) => {
    const box = el("div", { class: "answers" });
    const given = el("ol");
    new Set(goldOf(question)).forEach((one) => given.append(el("li", { class: "plain" }, one)));
    box.append(el("div", {}, el("h4", {}, "Given answers"), given));
    question[5].forEach(([, f1, some], place) => {
      const list = el("ol");
      some.forEach((one) => {
        const share = one[0] / 9.99;
        const text = el("span", {}, textOf(question, one) || "(no answer)");
        if (one[0] >= 0) text.append(el("span", { class: "percent" }, `${share.toFixed(1)} %`));
        list.append(el("li", {}, one[0] >= 0 ? bar(place, share, percent(share)) : el("span"), text));
      });
      if (!some.length) list.append(el("li", {}, el("span"), "(no answer)"));
      const head = el("h4", {}, el("span", { class: `dot s${place}`, "aria-hidden": "true" }));
      head.append(`${systems[place]}: F1 ${f1}`);
      box.append(el("div", {}, head, list));
    });
    return box;
  };
  const tokensOf = (paragraph) => {
    const text = contexts[paragraph][1];
    const places = [];
    let at = 0;
    for (const step of report.tokens[paragraph]) places.push((at += step));
    const spans = [];
    for (let i = 0; i < places.length; i += 2) {
      spans.push({ start: places[i], end: places[i + 1], text: text.slice(places[i], places[i + 1]) });
    }
    return spans;
  };
  const likely = (tokens, shares) =>
    shares.map((share, place) => [share, place]).sort((one, other) => other[0] - one[0]).slice(0, 2)
      .filter(([share]) => share > 0).map(([share, place]) => `“${tokens[place].text}” ${percent(100 * share)}`)
      .join(", ");
  const strip = (question, seen, place) => {
    const tokens = tokensOf(question[2]);
    const length = contexts[question[2]][1].length;
    const start = values(seen.start), end = values(seen.end);
    const most = Math.max(...start, ...end, 0.02);
    const name = `${systems[place]}: begins at ${likely(tokens, start)}; ends at ${likely(tokens, end)}`;
    const parts = [svg("title", {}, name), svg("line", { class: "axis", x1: 0, x2: length, y1: 22, y2: 22, "stroke-width": 0.5, "vector-effect": "non-scaling-stroke" })];
    const width = Math.max(3, length / 200);
    tokens.forEach((token, row) => {
      if (start[row]) {
        const high = (21 * start[row]) / most;
        parts.push(svg("rect", { class: `s${place}`, x: token.start, y: 21.5 - high, width, height: high, stroke: "none" }));
      }
      if (end[row]) {
        parts.push(svg("rect", { class: `s${place}`, x: token.end - width, y: 22.5, width, height: (21 * end[row]) / most, opacity: 0.6, stroke: "none" }));
      }
    });
    const picture = svg("svg", { class: "strip", viewBox: `0 0 ${length} 44`, preserveAspectRatio: "none", role: "img", "aria-label": name }, ...parts);
    const said = el("div", { class: "strip-name" }, el("span", {}, name));
    return el("div", {}, said, picture);
  };
  const heat = (row, question, seen, place) => {
    const tokens = tokensOf(question[2]), words = report.words[row], shares = values(seen.attention);
    const cell = 15, left = Math.max(76, 12 + 7 * Math.min(14, Math.max(...words.map((one) => one.length)))), top = 92;
    const short = (text) => (text.length > 14 ? `${text.slice(0, 13)}…` : text);
    const parts = [
      svg("text", { x: left, y: 12 }, "context →"),
      svg("text", { x: left - 6, y: top - 6, "text-anchor": "end" }, "question ↓"),
    ];
    words.forEach((word, down) => {
      parts.push(svg("text", { x: left - 6, y: top + cell * down + 11, "text-anchor": "end" }, short(word)));
    });
    tokens.forEach((token, across) => {
      const x = left + cell * across;
      parts.push(svg("text", { transform: `translate(${x + 10} ${top - 4}) rotate(-65)` }, short(token.text)));
      words.forEach((word, down) => {
        const share = shares[across * words.length + down];
        const box = { class: `s${place}`, x, y: top + cell * down, width: cell - 1, height: cell - 1, "fill-opacity": Math.max(0.04, share), stroke: "none" };
        parts.push(svg("rect", box, svg("title", {}, `${token.text} → ${word}: ${percent(100 * share)}`)));
      });
    });
    const width = left + cell * tokens.length + 60, height = top + cell * words.length + 4;
    const name = `${systems[place]}: how much each word of the context attends to each word of the question`;
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": name }, ...parts);
    const box = el("div", { class: "heat", tabindex: 0, role: "region", "aria-label": name }, picture);
    return el("div", {}, el("div", { class: "strip-name" }, name), box);
  };
  const groups = (seen, place) => {
    const [rival, isGold] = seen.rival;
    const name = `${systems[place]}: what each feature group adds to the chosen span, and to ${isGold ? "the right one" : "the next best"}, “${rival}”`;
    const table = el("table", { class: "tight" });
    const head = ["feature group", "chosen", isGold ? "right one" : "next best", "ahead by"];
    table.append(el("thead", {}, el("tr", {}, ...head.map((one) => el("th", { scope: "col" }, one)))));
    const rows = [...seen.groups].sort((one, other) => other[1] - other[2] - (one[1] - one[2]));
    const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);
    table.append(el("tbody", {}, ...rows.map(([group, chosen, other]) =>
      el("tr", {}, el("th", { scope: "row" }, group), el("td", {}, signed(chosen)), el("td", {}, signed(other)), el("td", {}, el("strong", {}, signed(chosen - other)))))));
    return el("div", {}, el("div", { class: "strip-name" }, name), el("div", { class: "heat" }, table));
  };
  const body = (row) => {
    const question = questions[row];
    const [title] = contexts[question[2]];
    const slices = dimensions.flatMap(([name, labels], place) =>
      question[4][place] < 0 ? [] : [`${name}: ${labels[question[4][place]]}`]);
    const parts = [el("p", { class: "key" }, `${report.titles[title].replaceAll("_", " ")} · ${question[0]}`), marked(question), answers(question)];
    const seen = report.inspected[row] || [];
    if (seen.some(Boolean)) {
      parts.push(el("h4", {}, "Where along the text the answer begins (up) and ends (down); the highest bar is the likeliest"));
    }
    seen.forEach((one, place) => { if (one) parts.push(strip(question, one, place)); });
    if (seen.some((one) => one && one.attention)) parts.push(el("h4", {}, "Attention"));
    seen.forEach((one, place) => { if (one && one.attention) parts.push(heat(row, question, one, place)); });
    if (seen.some((one) => one && one.groups)) parts.push(el("h4", {}, "Feature groups"));
    seen.forEach((one, place) => { if (one && one.groups) parts.push(groups(one, place)); });
    parts.push(el("p", { class: "key" }, slices.join(" · ")));
    return el("div", { class: "body" }, ...parts);
  };
  const item = (row) => {
    const question = questions[row];
    const badges = el("span", { class: "badges" });
    question[5].forEach((one, place) => {
      const outcome = outcomeOf(one);
      const name = systems.length > 1 ? `${systems[place]}: ` : "";
      badges.append(el("span", { class: `badge ${BADGES[outcome]}` }, `${name}${OUTCOMES[outcome]}`));
    });
    const summary = el("summary", {}, el("span", { class: "text" }, question[1].trim()), badges);
    const details = el("details", { class: "question", "data-row": row }, summary);
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1) details.append(body(row));
    });
    return details;
  };

  // The list
  let rows = [], shown = 0;
  const more = () => {
    $("list").append(...rows.slice(shown, shown + PAGE).map(item));
    shown = Math.min(rows.length, shown + PAGE);
    $("more").hidden = shown >= rows.length;
    const count = (number) => number.toLocaleString("en");
    $("status").textContent = `${count(rows.length)} of ${count(questions.length)} questions; ${count(shown)} are listed.`;
  };
  const update = () => {
    rows = filtered();
    shown = 0;
    $("list").replaceChildren();
    more();
  };
  let waiting;
  $("filters").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(update, 120);
  });
  $("filters").addEventListener("reset", () => setTimeout(update));
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("more").addEventListener("click", () => {
    const first = shown;
    more();
    const next = $("list").children[first];
    if (next) next.querySelector("summary").focus();
  });
  $("plain").hidden = true;
  $("filters").hidden = false;
  update();
  document.documentElement.dataset.ready = "yes";
})();
