'use strict';

/* The page is also at v2/docs, but all that it links to stands beside docs. */
if (location.pathname.endsWith('/v2/docs')) {
  history.replaceState(null, '', `../docs${location.search}${location.hash}`);
}

const byId = (id) => document.getElementById(id);

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const code = (text) => element('code', {}, text);

/* The first cell of a row is its name; the others know their headings, for narrow screens. */
function table(headings, rows) {
  const head = element('tr', {}, ...headings.map((text) => element('th', { scope: 'col' }, text)));
  const body = rows.map(([name, ...cells]) => element('tr', {}, element('th', { scope: 'row' }, name),
    ...cells.map((cell, i) => element('td', { 'data-heading': headings[i + 1] }, cell))));
  return element('table', {}, element('thead', {}, head), element('tbody', {}, ...body));
}

async function fetchJson(path) {
  const reply = await fetch(new URL(path, document.baseURI));
  if (!reply.ok) throw new Error(`${path} answered ${reply.status}`);
  return reply.json();
}

/* ---- what a schema says, in words ---- */

const named = (contract, reference) => contract.components.schemas[reference.split('/').pop()];
const resolved = (contract, schema) => (schema.$ref ? named(contract, schema.$ref) : schema);

function kindOf(schema) {
  if (schema.enum) return schema.enum.join(', ');
  if (schema.anyOf) return schema.anyOf.map(kindOf).join(' or ');
  if (Array.isArray(schema.type)) return schema.type.join(' or ');
  if (schema.type === 'array' && schema.items && schema.items.enum) return 'names';
  if (schema.type === 'array') return 'array';
  return schema.type || 'object';
}

function rangeOf(schema) {
  const words = [];
  if (schema.exclusiveMinimum !== undefined) words.push(`> ${schema.exclusiveMinimum}`);
  if (schema.minimum !== undefined) words.push(`≥ ${schema.minimum}`);
  if (schema.maximum !== undefined) words.push(`≤ ${schema.maximum}`);
  return words.length > 0 ? ` ${words.join(', ')}` : '';
}

const defaultOf = (schema) => (schema.default === undefined ? '' : code([schema.default].flat().join(', ')));

function memberRows(contract, name) {
  return Object.entries(contract.components.schemas[name].properties).map(([member, value]) => {
    const schema = resolved(contract, value);
    return [member, kindOf(schema) + rangeOf(schema), defaultOf(schema),
      value.description || schema.description || ''];
  });
}

/* ---- the tables ---- */

function showExamples(contract) {
  const parts = [];
  for (const [path, operations] of Object.entries(contract.paths)) {
    const post = operations.post;
    if (!post || !post.requestBody) continue;
    const asked = post.requestBody.content['application/json'].examples || {};
    const answered = post.responses['200'].content['application/json'].examples || {};
    for (const [name, example] of Object.entries(asked)) {
      const url = new URL(path.slice(1), document.baseURI).href;
      parts.push(element('h3', {}, example.summary), element('pre', {},
        `$ curl ${url} -d '${JSON.stringify(example.value)}'\n${JSON.stringify(answered[name].value)}`));
    }
  }
  byId('examples').replaceChildren(...parts);
}

function showRoutes(contract) {
  const rows = [];
  for (const [path, operations] of Object.entries(contract.paths))
    for (const [method, operation] of Object.entries(operations))
      rows.push([`${method.toUpperCase()} ${path}`, operation.summary]);
  byId('routes-table').replaceChildren(table(['Method, path', 'What it does'], rows));
}

function showLosses(described) {
  byId('losses-list').replaceChildren(...described.losses.flatMap((loss) => {
    const takes = ['labels', 'targets'].filter((truth) => loss[`takes_${truth}`]).join(' or ');
    const options = loss.options.flatMap((option, i) => [i > 0 ? ', ' : '', code(option.name)]);
    return [
      element('h3', { id: `loss-${loss.name}` }, code(loss.name)),
      element('pre', {}, loss.formula),
      element('p', { class: 'small' }, `Takes ${takes}. As ${loss.source}. Options: `, ...options, '.'),
    ];
  }));
}

function showErrors(contract) {
  const rows = Object.entries(contract.components.responses)
    .filter(([status]) => /^\d+$/.test(status))
    .map(([status, response]) => [status, response.description,
      Object.keys(response.headers).filter((name) => name !== 'X-Request-ID').join(', ')]);
  byId('errors-table').replaceChildren(table(['Status', 'Code', 'Headers'], rows));
}

function showLimits(limits) {
  const rows = Object.values(limits).map((limit) =>
    [limit.flag, `${limit.value.toLocaleString('en')} ${limit.unit ?? ''}`, limit.help]);
  byId('limits-table').replaceChildren(table(['Setting', 'In force', 'What it is'], rows));
}

async function show() {
  try {
    const [contract, losses, limits] =
      await Promise.all(['openapi.json', 'v1/losses', 'v1/limits'].map(fetchJson));
    byId('version').textContent = contract.info.version;
    showExamples(contract);
    showRoutes(contract);
    byId('request-table').replaceChildren(
      table(['Member', 'Type', 'Default', 'What it is'], memberRows(contract, 'loss_request')));
    showLosses(losses);
    byId('answer-table').replaceChildren(table(['Member', 'Type', 'What it is'],
      memberRows(contract, 'loss_answer').map(([name, kind, , help]) => [name, kind, help])));
    showErrors(contract);
    showLimits(limits);
    const wanted = location.hash && byId(location.hash.slice(1));
    if (wanted) wanted.scrollIntoView();
  } catch (error) {
    byId('trouble').replaceChildren(element('p', { class: 'problem' },
      `The tables could not be filled: ${error.message}`));
  }
}

show();
