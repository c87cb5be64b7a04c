/** CloudFront takes certificates, firewalls and log deliveries from here only, and what purges it stands beside it. */
export const edgeRegion = "us-east-1";
