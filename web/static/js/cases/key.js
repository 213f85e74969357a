// A signature made in the browser: opens a PKCS#12 container and signs bytes as CMS (CAdES-BES). The key never leaves the page.
import * as asn1js from "asn1js";
import {
  AlgorithmIdentifier,
  Attribute,
  CertBag,
  ContentInfo,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  PFX,
  PKCS8ShroudedKeyBag,
  PrivateKeyInfo,
  SignedAndUnsignedAttributes,
  SignedData,
  SignerInfo,
} from "pkijs";

const OID = {
  data: "1.2.840.113549.1.7.1",
  encrypted: "1.2.840.113549.1.7.6",
  signedData: "1.2.840.113549.1.7.2",
  pbes2: "1.2.840.113549.1.5.13",
  rsa: "1.2.840.113549.1.1.1",
  ec: "1.2.840.10045.2.1",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  signingTime: "1.2.840.113549.1.9.5",
  // RFC 5035: it binds the signature to one certificate, which makes it CAdES-BES.
  signingCertificateV2: "1.2.840.113549.1.9.16.2.47",
};
const CURVES = { "1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521" };
const HASH = "SHA-256";

/** Why a container cannot be used: `not-a-container`, `wrong-password`, `old-encryption`, `other-key`, `no-certificate`. */
export class KeyFault extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/** The key of a container with its certificates, the signer's first. KeyFault says what is wrong with it. */
export async function opened(container, password) {
  const secret = new TextEncoder().encode(password).buffer;
  const bags = await contents(container, secret);
  const shrouded = bags.find((bag) => bag instanceof PKCS8ShroudedKeyBag);
  if (shrouded) {
    refuseOld(shrouded.encryptionAlgorithm);
    await shrouded.parseInternalValues({ password: secret });
  }
  const info = shrouded?.parsedValue ?? bags.find((bag) => bag instanceof PrivateKeyInfo);
  if (!info) throw new KeyFault("not-a-container");
  const key = await imported(info);
  const certificates = bags.filter((bag) => bag instanceof CertBag).map((bag) => bag.parsedValue);
  for (const certificate of certificates) {
    if (await belongs(certificate, key)) {
      return { key, certificates: [certificate, ...certificates.filter((other) => other !== certificate)] };
    }
  }
  throw new KeyFault("no-certificate");
}

async function contents(container, secret) {
  let pfx;
  try {
    pfx = PFX.fromBER(container);
  } catch {
    throw new KeyFault("not-a-container");
  }
  try {
    await pfx.parseInternalValues({ password: secret, checkIntegrity: true });
  } catch (fault) {
    throw new KeyFault(/Integrity/.test(fault.message) ? "wrong-password" : "other-key");
  }
  const safe = pfx.parsedValue.authenticatedSafe;
  for (const part of safe.safeContents) {
    if (part.contentType !== OID.encrypted) continue;
    refuseOld(part.content.valueBlock.value[1].valueBlock.value[1]);
  }
  await safe.parseInternalValues({ safeContents: safe.safeContents.map(() => ({ password: secret })) });
  return safe.parsedValue.safeContents.flatMap((part) => part.value.safeBags.map((bag) => bag.bagValue));
}

/** Browsers decrypt AES with PBKDF2; the older ways of PKCS#12 are broken and not offered. */
function refuseOld(algorithm) {
  const known = algorithm instanceof AlgorithmIdentifier ? algorithm : new AlgorithmIdentifier({ schema: algorithm });
  if (known.algorithmId !== OID.pbes2) throw new KeyFault("old-encryption");
}

async function imported(info) {
  const { algorithmId, algorithmParams } = info.privateKeyAlgorithm;
  const curve = algorithmId === OID.ec && CURVES[algorithmParams.valueBlock.toString()];
  if (algorithmId !== OID.rsa && !curve) throw new KeyFault("other-key");
  const algorithm = curve ? { name: "ECDSA", namedCurve: curve } : { name: "RSASSA-PKCS1-v1_5", hash: HASH };
  return crypto.subtle.importKey("pkcs8", info.toSchema().toBER(), algorithm, false, ["sign"]);
}

/** Whether the certificate is of this key: it verifies what the key signs. */
async function belongs(certificate, key) {
  const probe = crypto.getRandomValues(new Uint8Array(32));
  const algorithm = { ...key.algorithm, hash: HASH };
  try {
    const other = await certificate.getPublicKey({ algorithm: { algorithm, usages: ["verify"] } });
    return await crypto.subtle.verify(algorithm, other, await crypto.subtle.sign(algorithm, key, probe), probe);
  } catch {
    return false;
  }
}

/** A detached CAdES-BES signature of the bytes, DER. */
export async function signed({ key, certificates }, bytes) {
  const [signer] = certificates;
  const own = await crypto.subtle.digest(HASH, signer.toSchema().toBER());
  const named = new asn1js.Sequence({
    value: [new asn1js.Sequence({ value: [new asn1js.Sequence({ value: [new asn1js.OctetString({ valueHex: own })] })] })],
  });
  const attributes = [
    [OID.contentType, new asn1js.ObjectIdentifier({ value: OID.data })],
    [OID.signingTime, new asn1js.UTCTime({ valueDate: new Date() })],
    [OID.messageDigest, new asn1js.OctetString({ valueHex: await crypto.subtle.digest(HASH, bytes) })],
    [OID.signingCertificateV2, named],
  ].map(([type, value]) => new Attribute({ type, values: [value] }));
  const envelope = new SignedData({
    version: 1,
    encapContentInfo: new EncapsulatedContentInfo({ eContentType: OID.data }),
    signerInfos: [
      new SignerInfo({
        version: 1,
        sid: new IssuerAndSerialNumber({ issuer: signer.issuer, serialNumber: signer.serialNumber }),
        signedAttrs: new SignedAndUnsignedAttributes({ type: 0, attributes }),
      }),
    ],
    certificates,
  });
  await envelope.sign(key, 0, HASH, bytes);
  return new ContentInfo({ contentType: OID.signedData, content: envelope.toSchema(true) }).toSchema().toBER();
}
