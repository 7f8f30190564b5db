'use strict';

const CHART_ROWS = 8;
const CHART_CLASSES = 12;
/* Laying out millions of characters takes a browser many seconds. */
const SHOWN_TEXT = 100000;
/* An argument of a command has 128 KiB in Linux; a character is up to three bytes. */
const COMMAND_TEXT = 40000;

const EXAMPLES = [
  { name: 'two images, three classes', takes: 'labels',
    batch: { logits: [[2, 1, 0.1], [0.5, 2.5, 0.3]], labels: [0, 1] } },
  { name: 'one example', takes: 'labels', batch: { logits: [1, 2, 3], labels: 2 } },
  { name: 'tokens, one of them ignored', takes: 'labels',
    batch: { logits: [[[3, 1, 0], [0, 2, 1]], [[1, 1, 4], [2, 0, 0]]], labels: [[0, 1], [2, -100]] } },
  { name: 'a masked class', takes: 'labels',
    batch: { logits: [[1, '-Infinity', 0], [0, 1, 2]], labels: [0, 2] } },
  { name: 'a linear model', takes: 'labels',
    batch: { features: [[1, 2], [3, 4]], W: [[1, 0], [0, 1]], b: [0.5, 0], labels: [0, 1] } },
  { name: 'targets that are distributions', takes: 'targets',
    batch: { logits: [[2, 1, 0.1], [0.5, 2.5, 0.3]], targets: [[0.9, 0.1, 0], [0, 1, 0]] } },
  { name: 'logits alone', takes: 'nothing', batch: { logits: [[2, 1, 0.1], [0.5, 2.5, 0.3]] } },
];

const byId = (id) => document.getElementById(id);
/* By name: the losses, and softmax, which has a route of its own. */
const losses = new Map();

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {}))
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
  made.append(...children);
  return made;
}

/* ---- what is asked ---- */

function headers() {
  const key = byId('key').value.trim();
  return key ? { Authorization: `Bearer ${key}` } : {};
}

function query() {
  const parts = [];
  const add = (name, value) => parts.push(`${name}=${encodeURIComponent(value).replaceAll('%2C', ',')}`);
  const loss = byId('loss');
  if (loss.selectedIndex > 0 && loss.value !== 'softmax') add('loss', loss.value);
  for (const field of byId('options').querySelectorAll('[name]'))
    if (field.value.trim() !== '' && field.value !== field.dataset.standard)
      add(field.name, field.value.trim());
  const boxes = [...byId('outputs').querySelectorAll('input')];
  if (boxes.some((box) => box.checked !== box.defaultChecked))
    add('return', boxes.filter((box) => box.checked).map((box) => box.value).join(','));
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

const route = () => (byId('loss').value === 'softmax' ? 'v1/softmax' : 'v1/loss');
const address = () => new URL(route() + query(), document.baseURI).href;
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function showCurl() {
  const key = byId('key').value.trim() ? ' \\\n  -H "Authorization: Bearer $LOSSD_KEY"' : '';
  const batch = byId('batch').value;
  const long = batch.length > COMMAND_TEXT;
  byId('curl').textContent =
    `curl ${quoted(address())}${key} \\\n  -d ${long ? '@batch.json' : quoted(batch)}`;
  byId('curl-help').hidden = !long;
}

/* ---- menus ---- */

/* One array of numbers a line. */
function layOut(value, indent = '') {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (!value.some((item) => Array.isArray(item)))
      return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
    return `[\n${value.map((item) => inner + layOut(item, inner)).join(',\n')}\n${indent}]`;
  }
  if (value !== null && typeof value === 'object') {
    const lines = Object.entries(value).map(([key, item]) =>
      `${inner}${JSON.stringify(key)}: ${layOut(item, inner)}`);
    return lines.length > 0 ? `{\n${lines.join(',\n')}\n${indent}}` : '{}';
  }
  return JSON.stringify(value);
}

function beginningOf(text) {
  const rest = text.length - SHOWN_TEXT;
  return rest > 0 ? `${text.slice(0, SHOWN_TEXT)}…\n\n${rest.toLocaleString('en')} characters more` : text;
}

function showExample(index) {
  byId('example').value = String(index);
  byId('batch').value = layOut(EXAMPLES[index].batch);
  showCurl();
}

function optionField(option) {
  const id = `option-${option.name}`;
  const label = element('label', { for: id }, option.name);
  const common = { id, name: option.name, title: option.help };
  let field;
  if (option.choices) {
    field = element('select', common, ...option.choices.map((choice) => element('option', {}, choice)));
    field.dataset.standard = option.default;
  } else {
    const standard = option.default === null ? 'off' : String(option.default);
    field = element('input', { ...common, inputmode: 'decimal', autocomplete: 'off', placeholder: standard });
  }
  return element('div', {}, label, field);
}

function showLoss() {
  const loss = losses.get(byId('loss').value);
  if (!loss) return;
  byId('formula').textContent = loss.formula;
  byId('options').replaceChildren(
    ...loss.options.filter((option) => !option.type.startsWith('array')).map(optionField));
  if (byId('outputs').dataset.route !== route()) fillOutputs(loss.outputs);
  const takes = EXAMPLES[Number(byId('example').value)].takes;
  const untouched = byId('batch').value === layOut(EXAMPLES[Number(byId('example').value)].batch);
  if (untouched && !loss[`takes_${takes}`])
    showExample(EXAMPLES.findIndex((example) => loss[`takes_${example.takes}`]));
  showCurl();
}

function fillOutputs(schema) {
  byId('outputs').dataset.route = route();
  byId('outputs').replaceChildren(...schema.items.enum.map((name) => {
    const box = element('input', { type: 'checkbox', value: name, checked: schema.default.includes(name) });
    return element('label', {}, box, name);
  }));
}

async function fetchJson(path) {
  const reply = await fetch(new URL(path, document.baseURI), { headers: headers() });
  if (reply.status === 401) byId('access').hidden = false;
  if (!reply.ok) throw new Error(`${path} answered ${reply.status}`);
  return reply.json();
}

/* Without a key they are not told, and the field that asks for one has just come up. */
async function fillMenus() {
  try {
    const [described, contract] = await Promise.all([fetchJson('v1/losses'), fetchJson('openapi.json')]);
    const { return: outputs, softmax_request: softmax } = contract.components.schemas;
    for (const loss of described.losses) losses.set(loss.name, { ...loss, outputs });
    losses.set('softmax', {
      formula: 'p_k = exp(z_k) / sum_j exp(z_j)',
      takes_nothing: true,
      options: described.losses[0].options.filter((option) => option.name in softmax.properties),
      outputs: softmax.properties.return,
    });
    byId('loss').replaceChildren(...[...losses.keys()].map((name) =>
      element('option', { value: name }, name === 'softmax' ? 'none: softmax' : name)));
    byId('version').textContent = contract.info.version;
    fillOutputs(outputs);
    showLoss();
  } catch (error) {
    if (byId('access').hidden || byId('key').value.trim())
      showFailure('The menus could not be filled. ', error);
  }
}

/* ---- the answer ---- */

function showFailure(what, error) {
  byId('told').textContent = '';
  byId('raw').hidden = true;
  byId('answer').replaceChildren(element('div', { class: 'problem' },
    element('strong', {}, what), String(error.message || error)));
}

/* A proxy in front of the service has pages of its own for when that is down. */
async function documentOf(reply) {
  if (!/json/.test(reply.headers.get('Content-Type')))
    throw new Error(`What answered ${reply.status} is not JSON, so not from the service.`);
  return reply.json();
}

/* Positions of a body are bytes, those of a text area are not. */
function selectAt(offset) {
  const batch = byId('batch');
  const bytes = new TextEncoder().encode(batch.value);
  const start = new TextDecoder().decode(bytes.slice(0, offset)).length;
  batch.focus();
  batch.setSelectionRange(start, Math.min(start + 1, batch.value.length));
}

function problemOf(document) {
  const box = element('div', { class: 'problem' },
    element('strong', {}, `${document.title}. `), document.detail, ' ',
    element('code', {}, document.code));
  if (document.offset !== undefined) {
    const show = element('button', { type: 'button' }, `Line ${document.line}, column ${document.column}`);
    show.addEventListener('click', () => selectAt(document.offset));
    box.append(element('div', { class: 'row' }, show));
  }
  return box;
}

/* The rows along the last axis, in order, no more than `most` of them. */
function rowsOf(array, most) {
  if (!Array.isArray(array)) return [];
  if (!Array.isArray(array[0])) return [array];
  const rows = [];
  for (const part of array)
    if (rows.length < most) rows.push(...rowsOf(part, most - rows.length));
  return rows;
}

function sentBatch() {
  try {
    return JSON.parse(byId('batch').value);
  } catch {
    return {}; /* bare NaN and Infinity are the service's own */
  }
}

function bars(row, index, label) {
  const shown = row.map((p, k) => [p, k]);
  if (shown.length > CHART_CLASSES) shown.sort((a, b) => b[0] - a[0]);
  const lines = shown.slice(0, CHART_CLASSES).map(([p, k]) => {
    const fill = element('div', { class: 'fill' });
    fill.style.width = `${Math.max(0, Math.min(1, p)) * 100}%`;
    const name = k === label ? `class ${k}, true` : `class ${k}`;
    return element('tr', { class: k === label ? 'true' : undefined },
      element('th', { scope: 'row' }, name),
      element('td', { 'aria-hidden': 'true' }, element('div', { class: 'track' }, fill)),
      element('td', { class: 'number' }, p.toPrecision(4)));
  });
  const more = row.length > CHART_CLASSES ? `, the ${CHART_CLASSES} largest of ${row.length} classes` : '';
  return element('table', { class: 'bars' },
    element('caption', {}, `position ${index}${more}`), element('tbody', {}, ...lines));
}

function chart(answer, batch) {
  const axis = batch.axis === undefined ? -1 : batch.axis;
  if (!answer.probabilities || axis !== -1) return [];
  const rows = rowsOf(answer.probabilities, CHART_ROWS);
  const labels = [batch.labels].flat(Infinity);
  return rows.map((row, index) => bars(row, index, labels[index]));
}

function lossText(answer) {
  if (answer.loss !== null) return String(answer.loss);
  return answer.divisor === 0 ? 'nothing to average' : 'beyond the largest number';
}

function showAnswer(answer) {
  const parts = [];
  if (answer.loss !== undefined && !Array.isArray(answer.loss))
    parts.push(element('div', { class: 'soft small' }, 'loss'),
      element('div', { class: 'figure' }, lossText(answer)));
  for (const warning of answer.warnings || []) parts.push(element('p', {}, `Warning: ${warning}`));
  parts.push(...chart(answer, sentBatch()));
  byId('answer').replaceChildren(...parts);
  byId('raw').open = parts.length === 0;
}

async function send(event) {
  event.preventDefault();
  const button = byId('send');
  if (button.getAttribute('aria-disabled')) return;
  button.setAttribute('aria-disabled', 'true'); /* disabled, it would lose the keyboard's place */
  const began = performance.now();
  try {
    const reply = await fetch(address(), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers() },
      body: byId('batch').value,
    });
    const document = await documentOf(reply);
    byId('told').textContent = `${reply.status}, ${(performance.now() - began).toFixed(1)} ms`;
    if (reply.status === 401) byId('access').hidden = false;
    byId('text').textContent = beginningOf(layOut(document));
    byId('raw').hidden = false;
    if (reply.ok) showAnswer(document);
    else byId('answer').replaceChildren(problemOf(document));
    byId('answer').scrollIntoView({ block: 'nearest' });
  } catch (error) {
    showFailure('The service did not answer. ', error);
  }
  button.removeAttribute('aria-disabled');
}

/* ---- copying ---- */

async function copyCurl() {
  const pre = byId('curl');
  let done = true;
  try {
    await navigator.clipboard.writeText(pre.textContent);
  } catch { /* only there over TLS or on this machine */
    getSelection().selectAllChildren(pre);
    done = document.execCommand('copy');
  }
  byId('copied').textContent = done ? 'Copied.' : 'Marked: copy it with the keyboard.';
}

/* ---- beginning ---- */

byId('example').replaceChildren(...EXAMPLES.map((example, index) =>
  element('option', { value: index }, example.name)));
showExample(0);
byId('form').addEventListener('submit', send);
byId('form').addEventListener('input', showCurl);
byId('loss').addEventListener('change', showLoss);
byId('example').addEventListener('change', (event) => showExample(Number(event.target.value)));
byId('key').addEventListener('change', fillMenus);
byId('copy').addEventListener('click', copyCurl);
byId('batch').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) byId('form').requestSubmit();
});
fillMenus();
