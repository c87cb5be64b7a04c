import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { certificateSubject } from "../../lambda/access/oidc/certificates.ts";
import { viewerCertificate } from "../../lambda/aws/viewer-certificate.ts";
import { skipWithoutOpenssl } from "../support/certificate.ts";
import { CertificateAuthority } from "../support/certificate-authority.ts";
import { dataFolder } from "../support/data-folder.ts";

test("a viewer's certificate is what CloudFront says of it, and none where it says there is none", {
  skip: skipWithoutOpenssl,
}, (t) => {
  const { cert } = new CertificateAuthority(dataFolder(t), "ca").issue({
    subject: "/O=Corp/CN=build-1.ci.corp.example",
  });
  // As CloudFront's documentation shows it.
  const pem = encodeURIComponent(readFileSync(cert, "utf8")).replaceAll("%2B", "+").replaceAll("%3D", "=");
  const rows: readonly (readonly [
    present: string | undefined,
    pem: string | undefined,
    subject: string | undefined,
  ])[] = [
    ["1", pem, "CN=build-1.ci.corp.example,O=Corp"],
    ["0", pem, undefined],
    [undefined, pem, undefined],
    ["1", undefined, undefined],
    ["1,1", pem, undefined],
    ["1", "", undefined],
    ["1", "%", undefined],
    ["1", pem.slice(0, 200), undefined],
    ["1", encodeURIComponent("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), undefined],
  ];
  for (const [present, text, subject] of rows) {
    const found = viewerCertificate({ "cloudfront-viewer-cert-present": present, "cloudfront-viewer-cert-pem": text });
    assert.equal(found && certificateSubject(found), subject, `${present} ${text?.slice(0, 40)}`);
  }
});
