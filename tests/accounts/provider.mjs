// A certified OpenID Connect provider for the tests: node provider.mjs PORT REDIRECT LOGOUT
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [port, redirect, logout] = process.argv.slice(2);
const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "mezha",
      client_secret: "a-secret-of-the-tests",
      redirect_uris: [redirect],
      backchannel_logout_uri: logout,
      backchannel_logout_session_required: true,
    },
  ],
  pkce: { required: () => true },
  cookies: { keys: ["tests"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  features: { backchannelLogout: { enabled: true } },
  // The provider guards itself against requests into its own network, and the tests live there: its guard is a dispatcher.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `Имя ${id}`, email: `${id}@provider.test`, email_verified: true }),
  }),
});
provider.on("backchannel.error", (_, error) => console.error(error));
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
