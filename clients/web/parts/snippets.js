/** The same request in other words: for curl, Python, JavaScript, grpcurl and the command line. Text only. */

export const GRPC_PORT = 50051; // the server's default; a page is not told another
const KEY = "PENTIMENTO_API_KEY"; // the variable that a key is read from: a key itself is never written here
const SCALE = 4; // pixels of a picture for each pixel of a canvas

/**
 * @param {object} request A drawing as the JavaScript client takes it: model, n, steps, seed, and what else it says.
 * @param {object} server
 * @param {string} server.url Of the page's server, as the client takes it.
 * @param {boolean} server.keyed Whether it wants a key.
 * @returns {{ name: string, text: string, hint: string }[]}
 */
export function snippets(request, { url, keyed }) {
  const base = url.replace(/\/$/, "");
  const file = `${request.model}-${request.seed}.png`;
  const from = `The key is read from ${KEY}.`;
  const hint = (text) => [text, keyed && from].filter(Boolean).join(" ");
  return [
    { name: "curl", text: curl(request, base, file, keyed), hint: hint("A film strip: a row a picture, a column a step.") },
    { name: "Python", text: python(request, base, file, keyed), hint: hint("With pentimento-client, clients/python of the repository.") },
    { name: "JavaScript", text: javascript(request, base, keyed), hint: hint("With pentimento-client, clients/js of the repository.") },
    {
      name: "grpcurl",
      text: grpcurl(request, base, keyed),
      hint: hint(`gRPC has a port of its own, --grpc-port of the server: ${GRPC_PORT} unless it was set otherwise.`),
    },
    { name: "Command line", text: command(request, base, file), hint: hint("The program of the package pentimento.") },
  ];
}

function curl(request, base, file, keyed) {
  return lines(
    `curl -sS -X POST ${shell(`${base}/generate?scale=${SCALE}`)}`,
    keyed && `-H "Authorization: Bearer $${KEY}"`,
    "-H 'Accept: image/png' -H 'Content-Type: application/json'",
    `-d ${shell(JSON.stringify(snakeFields(request)))}`,
    `-o ${shell(file)}`,
  );
}

function python(request, base, file, keyed) {
  const { model, ...fields } = snakeFields(request);
  const given = Object.entries(fields).map(([name, value]) => `${name}=${pythonValue(value)}`);
  const key = keyed ? `, api_key=os.environ["${KEY}"]` : "";
  return `${keyed ? "import os\n\n" : ""}from pentimento_client import Client

with Client(${JSON.stringify(base)}${key}) as client:
    drawing = client.generate(${[JSON.stringify(model), ...given].join(", ")})
drawing.film_strip(scale=${SCALE}).save(${JSON.stringify(file)})`;
}

function javascript(request, base, keyed) {
  const key = keyed ? `, { apiKey: process.env.${KEY} }` : "";
  return `import { Client } from "pentimento-client";

const client = new Client(${JSON.stringify(base)}${key});
const request = ${JSON.stringify(request, null, 1).replace(/\n\s*/g, " ")};
for await (const frame of client.stream(request)) {
  console.log(frame.step, frame.images.length, frame.values); // images: PNG files as bytes
}`;
}

function grpcurl(request, base, keyed) {
  const { model, n, steps, seed, scoreBy, ...others } = request;
  const drawing = { model, imageCount: n, stepCount: steps, seed: String(seed), ...(scoreBy ? { scoreBy } : {}), ...others };
  const { protocol, hostname } = new URL(base);
  return lines(
    `grpcurl ${protocol === "https:" ? "" : "-plaintext "}-max-msg-sz 67108864`,
    keyed && `-H "authorization: Bearer $${KEY}"`,
    `-d ${shell(JSON.stringify({ drawing }))}`,
    `${hostname}:${GRPC_PORT} pentimento.v1.CanvasService/StreamCanvas`,
  );
}

function command({ model, n, steps, seed, scoreBy, label, labels, controls }, base, file) {
  return lines(
    `pentimento draw ${shell(model)} --server ${shell(base)}`,
    `--n ${n} --steps ${steps} --seed ${seed}`,
    scoreBy && `--score-by ${shell(scoreBy)}`,
    label !== undefined && `--label ${label}`,
    labels && `--labels ${labels.join(",")}`,
    ...Object.entries(controls ?? {}).map(([name, value]) => `--set ${shell(`${name}=${value}`)}`),
    `--scale ${SCALE} -o ${shell(file)}`,
  );
}

/** A command over several lines of a shell. */
function lines(...parts) {
  return parts.filter(Boolean).join(" \\\n  ");
}

/** A word of a shell, quoted where it has to be. */
function shell(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The request with the names that the server and Python have for its fields. */
function snakeFields({ scoreBy, ...fields }) {
  return scoreBy === undefined ? fields : { ...fields, score_by: scoreBy };
}

/** Numbers, strings, lists and objects of them are written alike in JSON and in Python. */
function pythonValue(value) {
  return JSON.stringify(value).replaceAll(",", ", ").replaceAll('":', '": ');
}
