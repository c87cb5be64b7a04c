import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { Stack } from "aws-cdk-lib";
import { type CfnDistribution, CfnTrustStore, type Distribution } from "aws-cdk-lib/aws-cloudfront";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { Construct } from "constructs";

export interface ViewerCertificatesProps {
  readonly name: string;
  readonly distribution: Distribution;
  /** The file with the certificates of authorities. */
  readonly caBundle: string;
}

/**
 * Has CloudFront ask viewers for a certificate, and verify it by a trust store. Whoever has none is let in: go cannot show
 * one, and what it has is a token.
 */
export class ViewerCertificates extends Construct {
  constructor(scope: Construct, id: string, { name, distribution, caBundle }: ViewerCertificatesProps) {
    super(scope, id);
    checkAuthorities(caBundle);
    const bundle = new Asset(this, "Authorities", { path: caBundle });
    const store = new CfnTrustStore(this, "TrustStore", {
      name,
      caCertificatesBundleSource: {
        caCertificatesBundleS3Location: {
          bucket: bundle.s3BucketName,
          key: bundle.s3ObjectKey,
          region: Stack.of(this).region,
        },
      },
    });
    const made = distribution.node.defaultChild as CfnDistribution;
    made.addPropertyOverride("DistributionConfig.ViewerMtlsConfig", {
      Mode: "optional",
      TrustStoreConfig: {
        TrustStoreId: store.attrId,
        AdvertiseTrustStoreCaNames: true,
        IgnoreCertificateExpiry: false,
      },
    });
  }
}

/** CloudFormation would say so in the middle of a deployment. */
function checkAuthorities(file: string): void {
  try {
    const certificates = readFileSync(file, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
    if (certificates === null) throw new Error("no certificate");
    for (const each of certificates) if (!new X509Certificate(each).ca) throw new Error("not of an authority");
  } catch (cause) {
    throw new Error("aws.mtls.caBundle: expected a file with certificates of authorities, as PEM", { cause });
  }
}
