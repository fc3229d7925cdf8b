// Writes `../expected/*.json`: what graphql-js says of each case of `../cases/*.md`.
// `npm ci && npm run generate`; the README beside the cases says how a case is written.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import * as current from "graphql";
import * as previous from "graphql-16";

/** The directives of incremental delivery, which graphql-js knows and leaves out of its schemas. */
const DELIVERY = `
"Lets these fields come later, if the client takes a response in parts and they have requests of their own."
directive @defer(
  "Whether they may."
  if: Boolean! = true
  "Names the part."
  label: String
) on FRAGMENT_SPREAD | INLINE_FRAGMENT

"Lets the items of a list come later, if the client takes a response in parts and the list has a request of its own."
directive @stream(
  "Whether they may."
  if: Boolean! = true
  "Names the part."
  label: String
  "How many items come at once."
  initialCount: Int! = 0
) on FIELD
`;

const cases = new URL("../cases/", import.meta.url);
const expected = new URL("../expected/", import.meta.url);

for (const file of readdirSync(cases).filter((name) => name.endsWith(".md"))) {
  const { schema, cases: read } = parse(readFileSync(new URL(file, cases), "utf8"), file);
  const outcomes = {};
  for (const it of read) {
    const outcome = await outcomeOf(current, schema, it);
    const before = await outcomeOf(previous, schema, it);
    const differs = JSON.stringify(before) !== JSON.stringify(outcome);
    outcomes[it.title] = { of: digest(schema, it), ...outcome, ...(differs && { "graphql-js 16": before }) };
  }
  const target = new URL(file.replace(/\.md$/, ".json"), expected);
  writeFileSync(target, JSON.stringify(outcomes, null, 2) + "\n");
}

/** A file's cases: a heading `## ` each, and the fenced blocks below it. */
function parse(text, file) {
  let schema = "";
  const found = [];
  let block;
  for (const line of text.split("\n")) {
    if (block) {
      if (line === "```") block = undefined;
      else block.push(line);
      continue;
    }
    const at = found.at(-1);
    if (line.startsWith("## ")) {
      found.push({ title: line.slice(3), blocks: {} });
    } else if (line.startsWith("```")) {
      const kind = line.slice(3);
      block = [];
      if (at) at.blocks[kind] = block;
      else if (kind === "graphql schema") schema = block;
      else throw new Error(`${file}: a block before the first case: ${line}`);
    }
  }
  const joined = found.map(({ title, blocks }) => ({
    title,
    blocks: Object.fromEntries(Object.entries(blocks).map(([kind, lines]) => [kind, lines.join("\n")])),
  }));
  return { schema: schema.join("\n"), cases: joined };
}

async function outcomeOf(graphql, sdl, { title, blocks }) {
  // The cases' schemas are valid by both editions' rules.
  const schema = graphql.buildSchema(sdl + DELIVERY);
  let document;
  try {
    document = graphql.parse(blocks.graphql);
  } catch (error) {
    return requestErrors([error]);
  }
  const errors = graphql.validate(schema, document);
  if (errors.length > 0) return requestErrors(errors);
  if (blocks["json root"] === undefined) return { valid: true };
  const operation = graphql.getOperationAST(document, blocks["text operation"]);
  const rootType = schema.getRootType(operation?.operation ?? "query");
  const result = await (graphql.experimentalExecuteIncrementally ?? graphql.execute)({
    schema,
    document,
    rootValue: rootValue(JSON.parse(blocks["json root"]), rootType),
    variableValues: JSON.parse(blocks["json variables"] ?? "{}"),
    operationName: blocks["text operation"],
  });
  if (result.data === undefined) return requestErrors(result.errors);
  if (graphql === current && result.data?.__schema?.types?.[0].kind) rebuilt(schema, result.data);
  const raised = (result.errors ?? []).map((error) => `${JSON.stringify(error.path)} at ${placesOf(error)}`);
  return { data: JSON.parse(JSON.stringify(result.data), specified), raised: raised.sort() };
}

/** graphql-js tells of a place for directives that only its own experiments know. */
function specified(key, value) {
  if (key !== "enumValues" || value === null) return value;
  return value.filter(({ name }) => name !== "FRAGMENT_VARIABLE_DEFINITION");
}

/** What introspection told makes the same schema again. The gateway must tell the same. */
function rebuilt(schema, told) {
  const again = current.buildClientSchema(told);
  const sdl = (schema) => current.printSchema(current.lexicographicSortSchema(schema));
  const whole = told.__schema.types[0].isOneOf !== undefined;
  if (whole && sdl(again) !== sdl(schema)) throw new Error("introspection tells another schema");
}

/** The places that an error names, each once. */
function placesOf(error) {
  const named = (error.locations ?? []).map(({ line, column }) => `${line}:${column}`);
  return [...new Set(named)].sort().join(" ");
}

/** The places that each error names, without errors that name what another did. */
function requestErrors(errors) {
  const places = errors.map(placesOf);
  return { errors: [...new Set(places)].sort() };
}

/** Root fields of type `Arguments` answer their arguments, and `{"fail": true}` fails. */
function rootValue(root, type) {
  for (const field of Object.values(type.getFields())) {
    if (String(field.type).replace("!", "") === "Arguments") {
      root[field.name] = (given) => sorted(given);
    } else if (root[field.name]?.fail === true) {
      root[field.name] = () => {
        throw new Error("The service failed.");
      };
    }
  }
  return root;
}

/** Arguments are an unordered map; here they are ordered by name. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}

/** FNV-1a of all that a case is made of, so that an expectation of another text is noticed. */
function digest(schema, { title, blocks }) {
  const parts = [schema, title];
  for (const kind of ["graphql", "json variables", "text operation", "json root"]) parts.push(blocks[kind] ?? "");
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(parts.join("\0"))) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
