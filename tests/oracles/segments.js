// One JSON text a line in; [encoding, segments] a line out. Runs until its input ends.
const { SegmentedMessage } = require("sms-segments-calculator");
const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const message = new SegmentedMessage(JSON.parse(line), "auto", false);
  console.log(JSON.stringify([message.encodingName, message.segmentsCount]));
});
