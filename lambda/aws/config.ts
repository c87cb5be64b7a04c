import { z } from "zod";

/** What of the configuration only a deployment reads. */
export const awsConfig = {
  aws: z
    .strictObject({
      name: z
        .string()
        .regex(/^[a-z][a-z0-9-]{1,18}[a-z0-9]$/, "expected 3 to 20 of a-z, 0-9 and -")
        .default("modfront")
        .describe("Begins every physical name, so that two deployments can share an account"),
      regions: z
        .array(z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "expected the name of an AWS region"))
        .length(1, "expected one region")
        .default(["us-east-1"])
        .describe("Where to deploy; the first is the primary"),
      vpc: z
        .strictObject({
          vpcId: z
            .string()
            .regex(/^vpc-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, "expected the id of a VPC")
            .describe("For example vpc-0a1b2c3d"),
          subnetIds: z
            .array(z.string().regex(/^subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, "expected the id of a subnet"))
            .min(1)
            .describe("From which S3, DynamoDB, SQS and Secrets Manager must be reached too, through NAT or endpoints"),
          securityGroupIds: z
            .array(z.string().regex(/^sg-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, "expected the id of a security group"))
            .min(1)
            .describe("Which let out what is fetched"),
        })
        .optional()
        .describe("Where what fetches modules runs, so that it reaches what only the company's network knows"),
      backgroundConcurrency: z
        .number()
        .int()
        .min(2)
        .max(1000)
        .default(5)
        .describe("How many fills may run in the background at once"),
      fillConcurrency: z
        .number()
        .int()
        .min(1)
        .max(10_000)
        .optional()
        .describe(
          "How many fills that clients wait for may run at once; reserved, so that they take no place of those who read",
        ),
      domain: z
        .strictObject({
          name: z.string().min(1).describe("For example goproxy.corp.example"),
          certificateArn: z.string().startsWith("arn:").optional().describe("In us-east-1; made when it is left out"),
          hostedZone: z
            .strictObject({ id: z.string().min(1), name: z.string().min(1) })
            .optional()
            .describe("The Route 53 zone in which the name, and a certificate that is made, are entered"),
        })
        .refine((domain) => domain.certificateArn !== undefined || domain.hostedZone !== undefined, {
          message: "expected certificateArn or hostedZone",
        })
        .optional(),
      notify: z
        .strictObject({
          email: z.email("expected an e-mail address").optional().describe("Asked once by AWS whether it wants to"),
          https: z
            .url({ protocol: /^https$/, error: "expected an https URL" })
            .optional()
            .describe("An address that takes messages of SNS, such as that of an on-call service"),
        })
        .prefault({})
        .describe("Who hears of alarms"),
      mtls: z
        .strictObject({
          caBundle: z.string().min(1).describe("A file with the certificates of authorities, as PEM"),
        })
        .optional()
        .describe(
          "Ask clients for certificates, which mtls.rules exchange for tokens; without one they are let in too",
        ),
      firewall: z.boolean().default(false).describe("Put AWS WAF with a rate limit in front; it costs per request"),
    })
    .prefault({}),
};
