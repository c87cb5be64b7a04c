import type { X509Certificate } from "node:crypto";

/** What a certificate is for that says so: to authenticate a client (RFC 5280, 4.2.1.12). */
const clientAuthentication = "1.3.6.1.5.5.7.3.2";

/** Returns the subject as RFC 2253 writes it, the last attribute first: `"CN=build-1.ci.corp.example,O=Corp"`. */
export function certificateSubject({ subject }: X509Certificate): string {
  return (subject ?? "").split("\n").reverse().join(",");
}

/**
 * Says why a certificate, though an authority of ours has signed it, is none of a client now; else `undefined`. Who took the
 * connection has looked at its time too, but sessions are resumed.
 */
export function faultOfCertificate(certificate: X509Certificate, now: number): string | undefined {
  if (now < certificate.validFromDate.getTime()) return "this certificate is not valid yet";
  if (now > certificate.validToDate.getTime()) return "this certificate has expired";
  if (certificate.ca) return "this certificate is of an authority";
  const uses: readonly string[] | undefined = certificate.keyUsage;
  return uses === undefined || uses.includes(clientAuthentication) ? undefined : "this certificate is not for clients";
}
