import type { CloudFormationCustomResourceEvent } from "aws-lambda";
import { writeLine } from "./report-line.ts";

/**
 * Does what a custom resource asks for and tells CloudFormation how it ended, which waits an hour for it otherwise. What the
 * work returns are the attributes of the resource.
 *
 * Deleting does nothing: what these resources write goes with the store they write to.
 */
export async function answerCustomResource(
  event: CloudFormationCustomResourceEvent,
  physicalId: string,
  work: () => Promise<Readonly<Record<string, string>> | undefined>,
): Promise<void> {
  const { RequestId, StackId, LogicalResourceId } = event;
  const answer = { RequestId, StackId, LogicalResourceId, PhysicalResourceId: physicalId };
  try {
    const Data = event.RequestType === "Delete" ? undefined : await work();
    await put(event.ResponseURL, { ...answer, Status: "SUCCESS", ...(Data && { Data }) });
  } catch (error) {
    writeLine(JSON.stringify({ message: "custom resource failed", error: String(error) }));
    await put(event.ResponseURL, { ...answer, Status: "FAILED", Reason: "the function's log says why" });
  }
}

/** The address is signed without a content type. */
async function put(url: string, body: Readonly<Record<string, unknown>>): Promise<void> {
  const answer = await fetch(url, { method: "PUT", headers: { "content-type": "" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`CloudFormation answered ${answer.status}`);
}
