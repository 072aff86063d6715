/** Shows the server's OpenAPI document in Swagger UI. Addresses go by this file's: the page may be below a path. */

globalThis.SwaggerUIBundle({
  url: new URL("../openapi.json", document.currentScript.src).href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  showExtensions: true,
  validatorUrl: null, // it would ask swagger.io
});
