# fails: belt
# after: ready-and-a-pause.sh
fault kill belt
sleep 5
