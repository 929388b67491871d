"""The icons in use, by their names in Tabler's set of outlines; the sprite holds these and no others."""

from typing import Final

ICONS: Final = frozenset(
    """
    adjustments adjustments-horizontal affiliate alarm alert-circle alert-hexagon alert-triangle arrow-back-up
    arrow-down arrow-left arrow-right arrow-up arrows-sort arrows-exchange ban bell bell-ringing book bookmark
    building building-bank building-community bug cactus calendar calendar-due calendar-event calendar-off cash
    certificate chart-bar chart-line check checkbox checklist chevron-down chevron-left chevron-right chevron-up
    circle-check circle-dashed circle-minus circle-plus circle-x clipboard-check clipboard-list clipboard-text clock
    clock-bolt clock-hour-4 clock-pause clock-play clock-x cloud coin coins contract copy credit-card database
    device-desktop device-floppy devices-off dots download edit external-link eye file file-check file-description
    file-download file-invoice file-off file-text file-upload filter filter-off flag forms gauge hammer headset help
    history history-toggle home hourglass id-badge inbox info-circle key language layout-dashboard link list
    list-check list-details loader lock lock-open login logout mail map-pin menu-2 message message-circle minus
    network notes package paperclip pencil phone player-pause player-play plug plus printer progress-check puzzle
    receipt receipt-refund receipt-tax refresh report report-analytics report-money route router scale search send
    server server-2 settings shield shield-check shield-exclamation shield-lock shopping-cart sitemap star
    switch-horizontal tag tags target ticket tool trash trending-down trending-up upload urgent user user-check
    user-cog user-off user-plus user-shield users versions virus wallet wifi world world-share x zoom-question
    """.split()  # noqa: SIM905 - a list of words reads and merges better as words
)
