"use strict";

// Swagger UI over this server's own document. It asks no other server for anything, and what is
// logged in here is forgotten with the page.
const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  validatorUrl: null,
});

const form = document.getElementById("login");
const said = document.getElementById("said");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const password = form.elements.password.value;
  try {
    const answer = await fetch("login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ password }),
    });
    const body = await answer.json();
    if (answer.ok) {
      ui.preauthorizeApiKey("bearer", body.access_token);
      form.reset();
      said.textContent = `Logged in for ${Math.round(body.expires_in / 60)} minutes.`;
    } else {
      said.textContent = String(body.detail);
    }
  } catch {
    said.textContent = "The server does not answer.";
  }
});
form.hidden = false;
