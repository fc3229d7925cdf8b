// Compares the REST answers of two sets of the shop's services: the mocks of `onedoor dev` and
// json-server. Status, body and x-total-count must be the same, also after writes.
//
//   node rest.mjs URL ..     (of users, payments, orders and notifications: one set, the other set)

import { isDeepStrictEqual } from "node:util";

const urls = process.argv.slice(2);
if (urls.length !== 8) throw new Error("eight URLs are needed, of four services each");
const sets = [urls.slice(0, 4), urls.slice(4)].map(([users, payments, orders, notifications]) => ({
  users,
  payments,
  orders,
  notifications,
}));

const newest = "_sort=createdAt&_order=desc";
const repeated = (name, from, count) =>
  Array.from({ length: count }, (_, i) => `${name}=${from + i}`).join("&");
const json = (body) => ({
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

const calls = [
  // What the schema asks.
  ["users", "/users?id=7"],
  ["users", "/users?id=7&id=4711&id=1"],
  ["users", `/users?${repeated("id", 101, 100)}`],
  ["users", "/users?_page=2&_limit=20"],
  ["users", "/users?q=łódź&_page=1&_limit=20"],
  ["users", "/users?q=%F0%9F%A6%8A&_page=1&_limit=20"],
  ["users", "/users?address.country=DE&_page=1&_limit=5"],
  ["users", "/users?address.country=XX&_page=1&_limit=5"],
  ["orders", "/orders/1571"],
  ["orders", "/orders/9999"],
  ["orders", `/orders?userId=7&${newest}`],
  ["orders", `/orders?${repeated("userId", 1, 100)}&${newest}`],
  ["orders", `/orders?userId=1&userId=7&status=pending&${newest}`],
  ["orders", `/orders?status=shipped&userId=7&${newest}&_page=1&_limit=3`],
  ["orders", `/orders?${newest}&_page=1&_limit=100`],
  ["orders", `/orders?${newest}&_page=99&_limit=100`],
  ["payments", `/payments?orderId=1571&${newest}`],
  ["payments", `/payments?${repeated("orderId", 1001, 100)}&${newest}`],
  ["notifications", "/notifications?userId=7&_sort=at&_order=desc&_limit=20"],
  // What else the two have in common.
  ["users", "/users"],
  ["users", "/users/1/"],
  ["users", "/users?nosuch=1&_limit=2"],
  ["users", "/users?address.zip_ne=04109&_sort=address.zip,id&_order=asc,desc"],
  ["users", "/users?email_like=SAOIRSE&_sort=name"],
  ["users", "/users?_sort=phone&_order=desc"],
  ["orders", "/users/7/orders?status=paid"],
  ["orders", "/orders?total_gte=10000&total_lte=12000&_sort=total,id"],
  ["orders", "/orders?userId_ne=7&_start=5&_end=9"],
  ["orders", "/orders?items.0.sku=STK-CRB&items.1.quantity=2"],
  ["orders", "/orders?_sort=note&_order=asc&_limit=80"],
  // Writes.
  ["orders", "/orders", { method: "POST", ...json({ userId: "2", total: 5, items: [], note: "é" }) }],
  ["orders", "/orders", { method: "POST", ...json({ id: 5000, total: 6 }) }],
  ["orders", "/users/9/orders", { method: "POST", ...json({ total: 7 }) }],
  ["orders", "/orders", { method: "POST", body: new URLSearchParams("note=a+b&tag=1&tag=2") }],
  ["orders", "/orders/1002", { method: "PATCH", ...json({ id: 3, status: "cancelled", new: null }) }],
  ["orders", "/orders/1003", { method: "PUT", ...json({ total: 8 }) }],
  ["orders", "/orders/1004", { method: "DELETE" }],
  ["orders", "/orders/1004", { method: "DELETE" }],
  ["orders", "/orders/9999", { method: "PATCH", ...json({}) }],
  ["users", "/users/2", { method: "PATCH", ...json({ address: { city: "Oslo" } }) }],
  // What it all came to.
  ["users", "/db"],
  ["payments", "/db"],
  ["orders", "/db"],
  ["notifications", "/db"],
];

async function ask(base, path, init) {
  const response = await fetch(base + path, { ...init, signal: AbortSignal.timeout(10_000) });
  const body = await response.text();
  return {
    status: response.status,
    total: response.headers.get("x-total-count"),
    body: compact(body),
  };
}

// json-server indents. The order of properties stays; what is no JSON stays as it is.
function compact(body) {
  try {
    return JSON.stringify(JSON.parse(body));
  } catch {
    return body;
  }
}

let different = 0;
for (const [service, path, init] of calls) {
  const [one, other] = await Promise.all(sets.map((set) => ask(set[service], path, init)));
  if (isDeepStrictEqual(one, other)) continue;
  different += 1;
  console.log(`  DIFFERS  ${init?.method ?? "GET"} ${service} ${path.slice(0, 80)}`);
  for (const answer of [one, other]) console.log(`    ${JSON.stringify(answer).slice(0, 300)}`);
}
console.log(`  ${calls.length - different} of ${calls.length} answers are the same`);
process.exit(different === 0 ? 0 : 1);
