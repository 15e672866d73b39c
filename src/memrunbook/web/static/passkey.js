"use strict";
// Asks the passkey to sign the plan that this page shows, and sends the form with its answer. What it signs is said by
// the server, which checks everything again: nothing here decides anything.
(() => {
  const form = document.querySelector("form[data-passkey]");
  if (!form) {
    return;
  }
  const told = form.querySelector("[role='status']");
  const button = form.querySelector("button[type='submit']");
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");
  const signed = async () => {
    if (!window.PublicKeyCredential) {
      throw new Error("This browser knows no passkeys, or the page is not reached by a safe address.");
    }
    const answer = await fetch(form.dataset.passkey, { redirect: "error" });
    const asked = await answer.json();
    if (!answer.ok) {
      throw new Error(asked.error.what);
    }
    const given = await navigator.credentials.get({
      publicKey: {
        challenge: bytes(asked.challenge),
        rpId: asked.relying_party,
        allowCredentials: asked.credentials.map((id) => ({ type: "public-key", id: bytes(id) })),
        userVerification: "required",
        timeout: 120000,
      },
    });
    const fields = form.elements;
    fields.credential.value = text(given.rawId);
    fields.authenticator_data.value = text(given.response.authenticatorData);
    fields.client_data.value = text(given.response.clientDataJSON);
    fields.signature.value = text(given.response.signature);
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    told.textContent = "Your passkey is asked to sign this plan.";
    try {
      await signed();
      form.submit();
    } catch (error) {
      told.textContent = `Not approved: ${error.message}`;
      button.disabled = false;
      button.focus();
    }
  });
})();
