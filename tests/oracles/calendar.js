// An .ics file on standard input; its events as JSON: [uid, summary, start in UTC, status, description].
const ICAL = require("ical.js").default ?? require("ical.js");
const calendar = new ICAL.Component(ICAL.parse(require("fs").readFileSync(0, "utf8")));
const events = calendar.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component);
  const start = event.startDate.toJSDate().toISOString();
  return [event.uid, event.summary, start, component.getFirstPropertyValue("status"), event.description];
});
console.log(JSON.stringify(events));
