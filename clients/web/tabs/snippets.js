/** The same request in other words: for curl, Python, JavaScript, grpcurl and the command line. Text only. */

export const GRPC_PORT = 50051; // the server's default; a page is not told another
const KEY = "PENTIMENTO_API_KEY"; // the variable that a key is read from: a key itself is never written here
const SCALE = 4; // pixels of a picture for each pixel of a canvas
const FILES = { image: "picture.png", mask: "mask.png" };

/**
 * @param {object} request A drawing as the JavaScript client takes it: model, steps, seed, n or samples, and what else
 *   it says; with an `image`, and perhaps a `mask`, as a PNG file in base64.
 * @param {object} server
 * @param {string} server.url Of the page's server, as the client takes it.
 * @param {boolean} server.keyed Whether it wants a key.
 * @returns {{ name: string, text: string, hint: string }[]}
 */
export function snippets({ image, mask, ...request }, { url, keyed }) {
  const call = {
    operation: mask ? "complete" : image ? "autoencode" : "generate",
    files: Object.entries({ image, mask }).filter(([, file]) => file),
    request,
    fields: snakeFields(request),
    base: url.replace(/\/$/, ""),
    output: `${request.model}-${request.seed}.png`,
    keyed,
  };
  const hint = (text) => (keyed ? `${text} The key is read from ${KEY}.` : text);
  const port = `gRPC has a port of its own, --grpc-port of the server: ${GRPC_PORT} unless it was set otherwise.`;
  return [
    { name: "curl", text: curl(call), hint: hint("A film strip: a row a picture, a column a step.") },
    { name: "Python", text: python(call), hint: hint("With pentimento-client, clients/python of the repository.") },
    { name: "JavaScript", text: javascript(call), hint: hint("With pentimento-client, clients/js of the repository.") },
    { name: "grpcurl", text: grpcurl(call), hint: hint(port) },
    // Its latents come from files.
    ...(request.latents ? [] : [{ name: "Command line", text: command(call), hint: hint("The program of the package pentimento.") }]),
  ];
}

function curl({ operation, files, fields, base, output, keyed }) {
  const { controls, ...flat } = fields;
  const query = new URLSearchParams({ ...(files.length ? { ...flat, ...controls } : {}), scale: SCALE });
  const body = files.length
    ? files.map(([name]) => `-F ${name}=@${FILES[name]}`).join(" ")
    : `-H 'Content-Type: application/json' -d ${shell(JSON.stringify(fields))}`;
  return (
    written(files) +
    lines(
      `curl -sS -X POST ${shell(`${base}/${operation}?${query}`)}`,
      keyed && `-H "Authorization: Bearer $${KEY}"`,
      "-H 'Accept: image/png'",
      body,
      `-o ${shell(output)}`,
    )
  );
}

function python({ operation, files, fields, base, output, keyed }) {
  const { model, ...others } = fields;
  const given = Object.entries(others).map(([name, value]) => `${name}=${pythonValue(value)}`);
  const imports = [keyed && "import os", files.length > 0 && "from base64 import b64decode"].filter(Boolean);
  const words = [...files.map(([name]) => name), JSON.stringify(model), ...given].join(", ");
  const key = keyed ? `, api_key=os.environ["${KEY}"]` : "";
  return `${imports.map((line) => `${line}\n`).join("")}${imports.length ? "\n" : ""}from pentimento_client import Client

${files.map(([name, file]) => `${name} = b64decode("${file}")\n`).join("")}with Client(${JSON.stringify(base)}${key}) as client:
    drawing = client.${operation}(${words})
drawing.film_strip(scale=${SCALE}).save(${JSON.stringify(output)})`;
}

function javascript({ operation, files, request, base, keyed }) {
  const key = keyed ? `, { apiKey: process.env.${KEY} }` : "";
  const method = { generate: "stream", autoencode: "streamAutoencode", complete: "streamComplete" }[operation];
  const named = files.map(([name]) => `${name}, `).join("");
  const fields = JSON.stringify(request, null, 1).replace(/\n\s*/g, " ").replace("{ ", `{ ${named}`);
  return `import { Client } from "pentimento-client";

const client = new Client(${JSON.stringify(base)}${key});
${files.map(([name, file]) => `const ${name} = Buffer.from("${file}", "base64");\n`).join("")}const request = ${fields};
for await (const frame of client.${method}(request)) {
  console.log(frame.step, frame.images.length, frame.values); // images: PNG files as bytes
}`;
}

function grpcurl({ operation, files, request, base, keyed }) {
  const { model, n, samples, steps, seed, scoreBy, fit, latents, ...others } = request;
  const drawing = {
    model,
    ...(n === undefined ? {} : { imageCount: n }),
    ...(samples === undefined ? {} : { sampleCount: samples }),
    stepCount: steps,
    seed: String(seed),
    ...(scoreBy ? { scoreBy } : {}),
    ...(fit ? { fit: `IMAGE_FIT_${fit.toUpperCase()}` } : {}),
    ...(latents ? { latents: Object.entries(latents).map(([name, rows]) => ({ name, shape: shapeOf(rows), values: rows.flat(Infinity) })) } : {}),
    ...others,
    ...Object.fromEntries(files),
  };
  const method = { generate: "StreamCanvas", autoencode: "Autoencode", complete: "Complete" }[operation];
  const { protocol, hostname } = new URL(base);
  return lines(
    `grpcurl ${protocol === "https:" ? "" : "-plaintext "}-max-msg-sz 67108864`,
    keyed && `-H "authorization: Bearer $${KEY}"`,
    `-d ${shell(JSON.stringify(files.length ? drawing : { drawing }))}`,
    `${hostname}:${GRPC_PORT} pentimento.v1.CanvasService/${method}`,
  );
}

function command({ operation, files, request, base, output }) {
  const { model, controls, labels, scoreBy, ...others } = request;
  const given = files.map(([name]) => FILES[name]).join(" ");
  return (
    written(files) +
    lines(
      files.length ? `pentimento ${operation} ${given} --model ${shell(model)}` : `pentimento draw ${shell(model)}`,
      `--server ${shell(base)}`,
      Object.entries(others).map(([name, value]) => `--${name} ${shell(String(value))}`).join(" "),
      scoreBy && `--score-by ${shell(scoreBy)}`,
      labels && `--labels ${labels.join(",")}`,
      ...Object.entries(controls ?? {}).map(([name, value]) => `--set ${shell(`${name}=${value}`)}`),
      `--scale ${SCALE} -o ${shell(output)}`,
    )
  );
}

/** The shape of nested lists. */
function shapeOf(rows) {
  return Array.isArray(rows) ? [rows.length, ...shapeOf(rows[0])] : [];
}

/** What writes the given pictures into files, for a shell. */
function written(files) {
  return files.map(([name, file]) => `echo ${file} | base64 -d > ${FILES[name]}\n`).join("");
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
