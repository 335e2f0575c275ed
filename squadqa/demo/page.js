"use strict";

// Offsets from the server count code points, as Python does, and so do all here.
// Every text of a user or a model becomes textContent: nothing is read as HTML.

const N_BEST = 5;
const NONE = "No answer in this text";
const byId = (id) => document.getElementById(id);
const contextField = byId("context");
const questionField = byId("question");

const percent = (share) =>
  share >= 0.9995 ? "100 %" : share < 0.0005 ? "0 %" : `${(100 * share).toFixed(1)} %`;
const counted = (number) => number.toLocaleString("en");

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

async function fetched(path, body) {
  let response;
  try {
    response = await fetch(path, body && {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The demo does not reply. Start it again: squadqa demo");
  }
  const values = await response.json().catch(() => ({}));
  if (response.ok) return values;
  const { what = `status ${response.status}`, hint = "", next_step = "" } = values.error ?? {};
  const sentences = [`${what}.`, hint, next_step].filter(Boolean).join(" ");
  throw new Error(sentences[0].toUpperCase() + sentences.slice(1));
}

class Card {
  constructor({ name, description }, number) {
    this.name = name;
    this.number = number;
    this.root = byId("card").content.firstElementChild.cloneNode(true);
    this.part = (selector) => this.root.querySelector(selector);
    this.part("h2").textContent = name;
    this.part("h2").id = `model-${number}`;
    this.part(".source").textContent = description;
    this.root.setAttribute("aria-labelledby", `model-${number}`);
    this.part(".text").setAttribute("aria-label", `The text as ${name} reads it`);
    this.part(".best").setAttribute("aria-label", `Best answers of ${name}`);
    this.strip = this.part(".strip");
    this.strip.setAttribute("aria-label", `Where ${name} sees a start and an end`);
    this.strip.addEventListener("keydown", (event) => this.#key(event));
    this.strip.addEventListener("pointermove", (event) => this.#point(event));
    this.strip.addEventListener("click", (event) => this.#point(event));
    this.strip.addEventListener("pointerleave", () => this.#look(-1));
    this.strip.addEventListener("blur", () => this.#look(-1));
  }

  wait() {
    this.root.classList.add("busy");
    this.part(".waiting").textContent = "Reading …";
  }

  fail(message) {
    this.root.classList.remove("busy", "empty");
    this.root.classList.add("failed");
    this.part(".error").textContent = message;
  }

  show(context, reply) {
    this.characters = Array.from(context);
    this.reply = reply;
    this.root.classList.remove("busy", "empty", "failed");
    this.part(".error").textContent = "";
    this.part(".time").textContent = `${reply.milliseconds.toFixed(0)} ms`;
    const [best] = reply.answers;
    this.part(".answer").textContent = best.text || NONE;
    this.part(".answer").classList.toggle("none", !best.text);
    this.part(".bar div").style.width = `${100 * best.probability}%`;
    this.part(".sure span").textContent = `${percent(best.probability)} sure`;
    this.part(".none-share").textContent =
      reply.no_answer === null ? "" : `${percent(reply.no_answer)} that the text has no answer`;
    this.#drawStrip();
    this.#listBest();
    this.cursor = -1;
    this.light(0);
  }

  light(place) {
    this.lit = place;
    const buttons = this.root.querySelectorAll(".best button");
    buttons.forEach((button, number) => button.setAttribute("aria-pressed", number === place));
    const { start, end } = this.reply.answers[place];
    const rect = this.part(".lit");
    rect.setAttribute("x", start / this.characters.length);
    rect.setAttribute("width", (end - start) / this.characters.length);
    this.#look(-1);
    const mark = this.part("mark");
    const box = this.part(".text");
    box.scrollTop = mark ? mark.offsetTop - (box.clientHeight - mark.offsetHeight) / 2 : 0;
  }

  #drawStrip() {
    const { tokens, start, end } = this.reply;
    const length = this.characters.length;
    const bars = (shares, sign) => tokens.map(([first, last], token) => {
      const height = shares[token];
      const x = ((first + last) / 2 / length).toFixed(5);
      return height < 0.002 ? "" : `M${x} 1V${(1 - sign * height).toFixed(3)}`;
    }).join("");
    this.part(".starts").setAttribute("d", bars(start, 1));
    this.part(".ends").setAttribute("d", bars(end, -1));
    this.strip.setAttribute("aria-valuemax", tokens.length);
  }

  #listBest() {
    const rows = this.reply.answers.map((answer, place) => {
      const button = element("button");
      button.type = "button";
      const share = element("span", "share");
      share.style.width = `${100 * answer.probability}%`;
      const said = element("span", answer.text ? "said" : "said none", answer.text || NONE);
      button.append(share, said, element("span", "chance", percent(answer.probability)));
      button.addEventListener("click", () => this.light(place));
      const row = element("li");
      row.append(button);
      return row;
    });
    this.part(".best").replaceChildren(...rows);
  }

  // Say what the model thinks of a token, -1 for none, and underline it in the text.
  #look(token) {
    this.cursor = token;
    const { tokens, start, end, answers } = this.reply;
    const [first, last] = tokens[token] ?? [0, 0];
    const text = this.characters.slice(first, last).join("");
    const said = token < 0 ? "" :
      `“${text}” starts it: ${percent(start[token])}, ends it: ${percent(end[token])}`;
    this.part(".token").textContent = said;
    this.strip.setAttribute("aria-valuenow", token < 0 ? 1 : token + 1);
    this.strip.setAttribute("aria-valuetext", said || "arrow keys go from word to word");
    const x = (first + last) / 2 / this.characters.length;
    this.part(".cursor").setAttribute("d", token < 0 ? "" : `M${x} 0V2`);
    this.#write(answers[this.lit], [first, last]);
  }

  #write(lit, [first, last]) {
    const bounds = [...new Set([0, lit.start, lit.end, first, last, this.characters.length])];
    bounds.sort((one, other) => one - other);
    const pieces = bounds.slice(1).map((to, number) => {
      const from = bounds[number];
      const text = this.characters.slice(from, to).join("");
      let piece = document.createTextNode(text);
      if (from >= first && to <= last) piece = element("span", "here", text);
      if (from >= lit.start && to <= lit.end) {
        const mark = element("mark");
        mark.append(piece);
        piece = mark;
      }
      return piece;
    });
    this.part(".text").replaceChildren(...pieces);
  }

  #point(event) {
    const box = this.strip.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * this.characters.length;
    const after = this.reply.tokens.findIndex(([, last]) => last > at);
    this.#look(after < 0 ? this.reply.tokens.length - 1 : after);
  }

  #key(event) {
    const end = this.reply.tokens.length - 1;
    const { cursor } = this;
    const first = this.reply.tokens.findIndex(([from]) => from >= this.reply.answers[this.lit].start);
    const steps = {
      ArrowRight: cursor < 0 ? first : Math.min(cursor + 1, end),
      ArrowLeft: cursor < 0 ? first : Math.max(cursor - 1, 0),
      Home: 0,
      End: end,
      Escape: -1,
    };
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.#look(steps[event.key]);
  }
}

let cards = [];
let asked = 0;

async function ask() {
  const context = contextField.value;
  const question = questionField.value;
  const missing = !context.trim() ? contextField : !question.trim() ? questionField : null;
  byId("error").textContent = !missing ? "" :
    missing === contextField ? "Paste a text first, or take an example." : "Ask a question first.";
  if (missing) return missing.focus();
  const number = ++asked;
  byId("status").textContent = "Reading …";
  cards.forEach((card) => card.wait());
  const replies = await Promise.all(cards.map(async (card) => {
    try {
      const body = { model: card.number, context, question, n_best: N_BEST };
      const reply = await fetched("/api/answer", body);
      if (number === asked) card.show(context, reply);
      return reply;
    } catch (error) {
      if (number === asked) card.fail(error.message);
      return null;
    }
  }));
  if (number === asked) byId("status").textContent = summary(replies);
}

// One sentence on all answers, which a screen reader speaks.
function summary(replies) {
  const said = replies.map((reply, number) => {
    const name = cards[number].name;
    if (!reply) return `${name} gave no reply`;
    const [best] = reply.answers;
    return `${name}: ${best.text || NONE.toLowerCase()}, ${percent(best.probability)}`;
  });
  const texts = new Set(replies.map((reply) => reply && reply.answers[0].text));
  const agree = replies.length < 2 ? "" : texts.size === 1 ? "They agree. " : "They differ. ";
  return `${agree}${said.join("; ")}.`;
}

function take(example, button) {
  byId("examples").querySelectorAll("button").forEach((other) =>
    other.setAttribute("aria-pressed", other === button));
  contextField.value = example.context;
  contextField.scrollTop = 0;
  count();
  const chips = example.questions.map((question) => {
    const chip = element("button", "", question);
    chip.type = "button";
    chip.addEventListener("click", () => {
      questionField.value = question;
      ask();
    });
    return chip;
  });
  byId("suggestions").replaceChildren(...chips);
  byId("suggestions").hidden = false;
  questionField.value = example.questions[0];
  ask();
}

let mostCharacters = Infinity;

function count() {
  const length = Array.from(contextField.value).length;
  byId("count").textContent = length ? `${counted(length)} characters` : "";
  const over = length > mostCharacters;
  byId("count").classList.toggle("error", over);
  if (over) byId("count").textContent += `, ${counted(mostCharacters)} at most`;
}

async function open() {
  try {
    const about = await fetched("/api/about");
    mostCharacters = about.most_characters;
    cards = about.models.map((model, number) => new Card(model, number));
    byId("models").replaceChildren(...cards.map((card) => card.root));
    for (const example of about.examples) {
      const button = element("button", "", example.title);
      button.type = "button";
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => take(example, button));
      byId("examples").append(button);
    }
    const models = cards.length === 1 ? "One model is" : `${cards.length} models are`;
    byId("status").textContent = `${models} ready.`;
    document.body.dataset.ready = "yes";
  } catch (error) {
    byId("status").textContent = "";
    byId("error").textContent = error.message;
  }
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
contextField.addEventListener("input", () => {
  byId("suggestions").hidden = true; // they belong to the example
  byId("examples").querySelectorAll("button").forEach((button) =>
    button.setAttribute("aria-pressed", "false"));
  count();
});
contextField.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask();
});
open();
