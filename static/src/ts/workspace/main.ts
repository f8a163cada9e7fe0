// The lab page. Parts first, then the run's state, which wakes them.
import "../lib/sheet";
import "./clock";
import "./editor";
import "./guide";
import "./map/map";
import "./past";
import "./terminal";
import "./timeline";
import { setUpPanes } from "./panes";
import { setUpPreview } from "./preview";
import { setUpWhatIf } from "./whatif";
import { setUpTrail } from "./trail";
import { setUpWhy } from "./why";
import "./status";

setUpPanes();
setUpPreview();
setUpTrail();
setUpWhy();
setUpWhatIf();
