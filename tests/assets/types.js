// Writes TypeScript in which every generated object is a literal of its published type, so that the
// compiler refuses a field which the type does not have: node types.js GENERATED FILE.ts
const fs = require("fs");
const path = require("path");
const yaml = require("js-yaml");

const [, , folder, file] = process.argv;
const operator = "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
const lines = [
  'import { FieldColorModeId, ThresholdsMode } from "@grafana/schema";',
  'import type { Dashboard, DataQuery } from "@grafana/schema";',
  // The fields of the data source for Prometheus are in no published type.
  "type Query = DataQuery & { expr: string; legendFormat?: string; instant?: boolean; range?: boolean };",
];
for (const kind of ["ServiceMonitor", "PodMonitor", "PrometheusRule"]) {
  lines.push(`import type { I${kind} } from "${operator}/${kind}";`);
}
let count = 0;
const add = (type, value, name = `v${count}`) => {
  const text = JSON.stringify(value)
    .replaceAll('"mode":"thresholds"', '"mode":FieldColorModeId.Thresholds')
    .replaceAll('"mode":"absolute"', '"mode":ThresholdsMode.Absolute')
    .replace(/"(query\d+)"/g, "$1");
  lines.push(`export const ${name}: ${type} = ${text};`);
  count += 1;
  return name;
};
const dashboards = path.join(folder, "grafana/dashboards");
for (const name of fs.readdirSync(dashboards)) {
  const dashboard = JSON.parse(fs.readFileSync(path.join(dashboards, name), "utf8"));
  for (const mark of dashboard.annotations.list) mark.target = add("Query", mark.target, `query${count}`);
  for (const panel of dashboard.panels) {
    for (const target of panel.targets ?? []) add("Query", target);
  }
  add("Dashboard", dashboard);
}
for (const name of ["operator.yaml", "operator-rules.yaml"]) {
  const text = fs.readFileSync(path.join(folder, "kubernetes", name), "utf8");
  for (const value of yaml.loadAll(text)) add(`I${value.kind}`, value);
}
fs.writeFileSync(file, `${lines.join("\n")}\n`);
console.log(`${count} objects`);
