// An identity provider that is not ours: the certified npm package "oidc-provider" on loopback.
// Arguments: a file beside node_modules, the redirect, signed-out and back-channel addresses.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [beside, redirectUri, signedOutUri, backChannelUri] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(createRequire(beside).resolve("oidc-provider")).href);

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "portal",
      client_secret: "a secret: with % and +",
      redirect_uris: [redirectUri],
      post_logout_redirect_uris: [signedOutUri],
      response_types: ["code"],
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: "client_secret_basic",
      id_token_signed_response_alg: "RS256",
      backchannel_logout_uri: backChannelUri,
      backchannel_logout_session_required: true,
    },
  ],
  claims: { openid: ["sub"], profile: ["name"], email: ["email"] },
  cookies: { keys: ["only for tests"] },
  features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true } },
  pkce: { required: () => true },
  issueRefreshToken: async () => true,
  // The package refuses to call private addresses; here everything is on loopback.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  findAccount: (_, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, name: `ชื่อ ${id}`, email: `${id}@agency-a.example` }),
  }),
});

server.on("request", provider.callback());
console.log(issuer);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
