// Sends example queries to a gateway and keeps each answer as it came.
//
//   node queries.mjs http://127.0.0.1:4000/graphql DIR NAME ..
//
// DIR/NAME.json is the body of examples/queries/NAME.graphql. The queries are sent one after the
// other, as they are given, so that what the mutations change is the same in every run.

import { createHmac } from "node:crypto";
import { mkdirSync, readFileSync, existsSync, writeFileSync } from "node:fs";

const [url, directory, ...names] = process.argv.slice(2);
const queries = new URL("../queries/", import.meta.url);

// User 1 signs in. Issuer and audience are those of onedoor.toml.
const seconds = Math.floor(Date.now() / 1000);
const claims = {
  iss: "https://login.shop.example",
  aud: "shop",
  sub: "1",
  iat: seconds,
  exp: seconds + 600,
};
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
const mac = createHmac("sha256", process.env.ONEDOOR_SECRET).update(signed).digest("base64url");
const authorization = `Bearer ${signed}.${mac}`;

mkdirSync(directory, { recursive: true });
for (const name of names) {
  const query = readFileSync(new URL(`${name}.graphql`, queries), "utf8");
  const variables = new URL(`${name}.json`, queries);
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", authorization },
    body: JSON.stringify({
      query,
      variables: existsSync(variables) ? JSON.parse(readFileSync(variables, "utf8")) : {},
    }),
    signal: AbortSignal.timeout(10_000),
  });
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`${name}: ${response.status} ${body}`);
  writeFileSync(`${directory}/${name}.json`, body);
}
