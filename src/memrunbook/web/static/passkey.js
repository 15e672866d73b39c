"use strict";
// Asks the browser for a passkey and sends the form with its answer: to sign in by a known one, to register a new one, to
// sign the plan that the page shows. What is asked is said by the server, which checks everything: nothing is decided here.
(() => {
  const form = document.querySelector("form[data-ceremony], form[data-passkey]");
  if (!form) {
    return;
  }
  const told = form.querySelector("[role='status']");
  const button = form.querySelector("button[type='submit']");
  const asked = form.dataset;
  const fields = form.elements;
  const timeout = 120000;
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");
  const keys = (ids) => ids.map((id) => ({ type: "public-key", id: bytes(id) }));
  const known = (challenge, rpId, ids) =>
    navigator.credentials.get({
      publicKey: {
        challenge: bytes(challenge),
        rpId,
        allowCredentials: keys(ids),
        userVerification: "required",
        timeout,
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
        excludeCredentials: keys((asked.known || "").split(" ").filter(Boolean)),
        attestation: "none",
        timeout,
      },
    });
  };
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const answered = async () => {
    const given = await (asked.ceremony === "create" ? made() : known(asked.challenge, asked.party, []));
    const response = {};
    for (const part of parts) {
      if (given.response[part]) {
        response[part] = text(given.response[part]);
      }
    }
    fields.answer.value = JSON.stringify({ id: given.id, rawId: text(given.rawId), type: given.type, response });
  };
  const signed = async () => {
    const answer = await fetch(asked.passkey, { redirect: "error" });
    const plan = await answer.json();
    if (!answer.ok) {
      throw new Error(plan.error.what);
    }
    const given = await known(plan.challenge, plan.relying_party, plan.credentials);
    fields.credential.value = text(given.rawId);
    fields.authenticator_data.value = text(given.response.authenticatorData);
    fields.client_data.value = text(given.response.clientDataJSON);
    fields.signature.value = text(given.response.signature);
  };
  const [ceremony, says, failed] = asked.passkey
    ? [signed, "Your passkey is asked to sign this plan.", "Not approved"]
    : [answered, "Your passkey is asked.", "Not done"];
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    told.textContent = says;
    try {
      if (!window.PublicKeyCredential) {
        throw new Error("this browser knows no passkeys, or the page is not reached by a safe address.");
      }
      await ceremony();
      form.submit();
    } catch (error) {
      told.textContent = `${failed}: ${error.message}`;
      button.disabled = false;
      button.focus();
    }
  });
})();
