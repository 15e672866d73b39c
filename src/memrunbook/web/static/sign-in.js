"use strict";
// Asks the browser for a passkey, a known one or a new one, and sends the form with its answer. What is asked is said
// by the page, and the server checks everything: nothing here decides anything.
(() => {
  const form = document.querySelector("form[data-ceremony]");
  if (!form) {
    return;
  }
  const told = form.querySelector("[role='status']");
  const button = form.querySelector("button[type='submit']");
  const asked = form.dataset;
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");
  const known = () =>
    navigator.credentials.get({
      publicKey: {
        challenge: bytes(asked.challenge),
        rpId: asked.party,
        userVerification: "required",
        timeout: 120000,
      },
    });
  const made = () => {
    const person = form.querySelector("[data-person]").textContent;
    return navigator.credentials.create({
      publicKey: {
        challenge: bytes(asked.challenge),
        rp: { id: asked.party, name: "runbook" },
        user: { id: bytes(asked.user), name: person, displayName: person },
        pubKeyCredParams: [{ type: "public-key", alg: -7 }],
        authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
        excludeCredentials: (asked.known || "")
          .split(" ")
          .filter(Boolean)
          .map((id) => ({ type: "public-key", id: bytes(id) })),
        attestation: "none",
        timeout: 120000,
      },
    });
  };
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const answered = async () => {
    if (!window.PublicKeyCredential) {
      throw new Error("this browser knows no passkeys, or the page is not reached by a safe address.");
    }
    const given = await (asked.ceremony === "create" ? made() : known());
    const response = {};
    for (const part of parts) {
      if (given.response[part]) {
        response[part] = text(given.response[part]);
      }
    }
    form.elements.answer.value = JSON.stringify({ id: given.id, rawId: text(given.rawId), type: given.type, response });
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    told.textContent = "Your passkey is asked.";
    try {
      await answered();
      form.submit();
    } catch (error) {
      told.textContent = `Not done: ${error.message}`;
      button.disabled = false;
      button.focus();
    }
  });
})();
