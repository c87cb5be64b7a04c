import { X509Certificate } from "node:crypto";

/**
 * The headers in which CloudFront tells its origins of the certificate that a viewer has shown: whether there was one that
 * an authority of the trust store has signed, and the certificate, which it shows to no edge function
 * (AmazonCloudFront/latest/DeveloperGuide/viewer-mtls-headers.html).
 */
export const viewerCertificateHeaders = {
  present: "cloudfront-viewer-cert-present",
  pem: "cloudfront-viewer-cert-pem",
} as const;

/** Returns the viewer's certificate, by the headers of a request that came through a distribution with a trust store. */
export function viewerCertificate(headers: Readonly<Record<string, string | undefined>>): X509Certificate | undefined {
  const pem = headers[viewerCertificateHeaders.pem];
  if (headers[viewerCertificateHeaders.present] !== "1" || pem === undefined) return undefined;
  try {
    return new X509Certificate(decodeURIComponent(pem));
  } catch {
    return undefined;
  }
}
